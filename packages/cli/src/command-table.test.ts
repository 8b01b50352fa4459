import {
  BUDGET_MODES,
  BUDGET_WINDOWS,
  OUTAGE_POLICIES,
  UNPRICED_POLICIES,
} from '@tallygate/contract/api/budgets';
import { KEY_SCOPES } from '@tallygate/contract/api/keys';
import { LIMIT_MEASURES, LIMIT_PERS, LIMIT_WINDOWS } from '@tallygate/contract/api/limits';
import { ENVIRONMENTS as CONTRACT_ENVIRONMENTS, DISCONNECT_POLICIES } from '@tallygate/contract/api/projects';
import { GROUPS } from '@tallygate/contract/api/usage';
import { REQUEST_STATUSES } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { COMMANDS, commandNamed, loadAllCommands, NOUNS } from './command-table.ts';
import { MODES, OUTAGE, UNPRICED, WINDOWS } from './commands/budgets/create.ts';
import { SCOPES } from './commands/keys/create.ts';
import * as limits from './commands/limits/create.ts';
import { ENVIRONMENTS, POLICIES } from './commands/projects/create.ts';
import { USAGE_GROUPS } from './commands/usage.ts';
import { STATUSES } from './commands/usage-filters.ts';
import { flagOf } from './options/option.ts';
import { GLOBAL_OPTIONS, VALUED_GLOBALS } from './program.ts';

describe('the table of commands', () => {
  it('loads under each name the command of that name', async () => {
    const names = (await loadAllCommands()).map((definition) => definition.name);
    expect(names).toEqual(Object.keys(COMMANDS));
  });

  it('explains every noun, and no other', () => {
    const nouns = Object.keys(COMMANDS)
      .filter((name) => name.includes(' '))
      .map((name) => name.split(' ')[0]);
    expect(Object.keys(NOUNS).sort()).toEqual([...new Set(nouns)].sort());
  });

  it('has a summary, a description and an example that runs the command itself', async () => {
    for (const { name, summary, description, examples } of await loadAllCommands()) {
      expect(summary, name).toMatch(/^\p{Lu}.*[^.]$/u);
      expect(description, name).toMatch(/\.$/);
      expect(examples.length, name).toBeGreaterThan(0);
      for (const { command } of examples) expect(command.startsWith(name), command).toBe(true);
    }
  });

  it('never redefines a global option', async () => {
    const globals = GLOBAL_OPTIONS.map(({ flags }) => flags.split(' ')[0]);
    for (const { name, options } of await loadAllCommands()) {
      const flags = Object.keys(options).map(flagOf);
      expect(
        flags.filter((flag) => globals.includes(flag)),
        name,
      ).toEqual([]);
    }
  });

  it('has no option that the parser would take for the opposite of another (--no-x)', async () => {
    for (const { name, options } of await loadAllCommands()) {
      const negated = Object.keys(options).filter((key) => flagOf(key).startsWith('--no-'));
      expect(negated, name).toEqual([]);
    }
  });

  it('offers exactly the choices of the contract', () => {
    expect(SCOPES).toEqual(KEY_SCOPES);
    expect(POLICIES).toEqual(DISCONNECT_POLICIES);
    expect(ENVIRONMENTS).toEqual(CONTRACT_ENVIRONMENTS);
    expect(USAGE_GROUPS).toEqual(GROUPS);
    expect([WINDOWS, MODES, UNPRICED, OUTAGE]).toEqual([
      BUDGET_WINDOWS,
      BUDGET_MODES,
      UNPRICED_POLICIES,
      OUTAGE_POLICIES,
    ]);
    expect([limits.PERS, limits.WINDOWS]).toEqual([LIMIT_PERS, LIMIT_WINDOWS]);
    expect(Object.values(limits.MEASURES)).toEqual(LIMIT_MEASURES);
    expect(STATUSES).toEqual(REQUEST_STATUSES);
  });
});

describe('commandNamed', () => {
  it.each([
    [['keys', 'create', '--name', 'x'], 'keys create'],
    [['--data-dir', 'usage', 'keys', 'list'], 'keys list'],
    [['--json', 'usage'], 'usage'],
    [['usage', 'requests'], 'usage'],
    [['backup', 'keys'], 'backup'],
    [['keys'], null],
    [['keys', '--json', 'list'], null],
    [['help', 'usage'], null],
    [['constructor'], null],
    [[], null],
  ])('%j → %s', (args, name) => expect(commandNamed(args, VALUED_GLOBALS)).toBe(name));
});

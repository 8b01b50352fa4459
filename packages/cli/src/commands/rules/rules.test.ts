import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tg-rules-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function run(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await runCli([...args, '--data-dir', join(dir, 'data')], terminal);
  return { code, ...terminal.written };
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);
async function file(name: string, content: unknown): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('pools and rules without a server (CF-05, CF-09)', () => {
  it('make pools of accounts, change and remove them', async () => {
    await json('accounts', 'add', 'compatible', '--name', 'gpu', '--preset', 'ollama', '--tier', '5');
    const made = await json('pools', 'create', 'local', '--accounts', 'gpu', '--strategy', 'weighted');
    expect(made).toMatchObject({ strategy: 'weighted', accounts: [{ name: 'gpu' }] });
    expect((await run('pools', 'list')).out).toMatch(/\(all accounts\)[\s\S]*local\tweighted\tgpu/);
    expect(await json('pools', 'update', 'local', '--strategy', 'least-used')).toMatchObject({
      strategy: 'least-used',
      accounts: [{ name: 'gpu' }],
    });
    expect((await run('pools', 'update', 'local')).code).toBe(2);
    expect((await run('pools', 'create', 'x', '--accounts', 'nobody')).code).toBe(1);
    const bound = await json('accounts', 'update', 'gpu', '--bind', 'project:default', '--weight', '3');
    expect(bound).toMatchObject({ weight: 3, tier: 5, boundTo: [{ kind: 'project', name: 'default' }] });
    expect(await json('accounts', 'update', 'gpu', '--unbind')).toMatchObject({ boundTo: [] });
  });

  it('add rules from files, say which one applies, move, switch and remove them', async () => {
    const [{ id: pool }] = (await json('pools', 'list')).pools;
    const first = { name: 'one', conditions: { models: ['gpt-*'] }, actions: { pool } };
    const second = { name: 'two', conditions: {}, actions: { model: 'claude-haiku-4-5' } };
    await json('rules', 'add', await file('one.json', first));
    await json('rules', 'add', await file('two.json', second));
    expect((await run('rules', 'list')).out).toMatch(
      /one\ton\tmodels=\["gpt-\*"\][\s\S]*two\ton\tany\tmodel=/,
    );
    const request = await file('request.json', { model: 'claude-opus-4-1', messages: [] });
    const tested = await run('rules', 'test', request);
    expect(tested.out).toContain('Rule two applies.');
    expect(tested.out).toContain('one: It does not hold that the model is gpt-*.');
    expect(tested.out).toContain('model: claude-opus-4-1 → claude-haiku-4-5');
    expect((await run('pools', 'remove', 'local')).error).toContain('"one"');
    await json('rules', 'move', 'two', '1');
    expect((await json('rules', 'disable', 'two')).enabled).toBe(false);
    const { rules } = await json('rules', 'list');
    expect(rules.map((rule: { name: string }) => rule.name)).toEqual(['two', 'one']);
    expect((await run('rules', 'test', request)).out).toContain('No rule applies.');
    expect((await run('rules', 'enable', 'two')).code).toBe(0);
    expect(await json('rules', 'remove', 'one')).toMatchObject({ removed: true });
    expect((await run('pools', 'remove', 'local')).code).toBe(0);
  });

  it('explain files that are missing, are no JSON, or hold no rule', async () => {
    for (const path of [
      join(dir, 'none.json'),
      await file('broken.json', '{'),
      await file('no.json', { x: 1 }),
    ]) {
      const { code, error } = await run('rules', 'add', path);
      expect([code, error.includes(path)]).toEqual([1, true]);
    }
    expect((await run('rules', 'test', await file('list.json', '[]'))).code).toBe(1);
  });
});

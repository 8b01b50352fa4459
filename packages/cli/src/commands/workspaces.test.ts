import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GateProcess, startGateProcess } from '@tallygate/testkit/gate-process';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

let root: string;
let gate: GateProcess | null = null;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tg-workspaces-'));
});
afterAll(async () => {
  gate?.child.kill('SIGTERM');
  await gate?.exited;
  await rm(root, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const terminal = recordingTerminal({});
  const code = await runCli([...args, '--data-dir', join(root, 'data')], terminal);
  return { code, ...terminal.written };
}
async function json(...args: string[]) {
  const { code, out, error } = await run(...args, '--json');
  expect({ args, code, error }).toEqual({ args, code: 0, error: '' });
  return JSON.parse(out);
}
const slugs = ({ projects }: { projects: { slug: string }[] }) => projects.map(({ slug }) => slug);

describe('workspaces from the command line (TW-07, CF-12)', () => {
  it('are made, renamed and worked in, first without a server and then through it', async () => {
    const made = await json('workspaces', 'create', 'research', '--name', 'Research');
    expect(made).toMatchObject({ slug: 'research', name: 'Research', first: false });
    await json('projects', 'create', 'lab', '--workspace', 'research');
    expect(slugs(await json('projects', 'list', '--workspace', 'research'))).toEqual(['default', 'lab']);
    expect(slugs(await json('projects', 'list'))).toEqual(['default']);

    const env = { DASHBOARD_USERNAME: 'owner', DASHBOARD_PASSWORD: 'a-throwaway-Passphrase-91' };
    gate = await startGateProcess({ dataDir: join(root, 'data'), env });
    expect(slugs(await json('projects', 'list', '--workspace', made.id))).toEqual(['default', 'lab']);
    await json('keys', 'create', '--name', 'bot', '--workspace', 'research');
    expect((await json('keys', 'list')).keys).toEqual([]);
    const joined = await json('workspaces', 'add-member', 'research', 'owner', '--role', 'viewer');
    expect(joined).toMatchObject({ username: 'owner', role: 'viewer' });
    const { users } = await json('users', 'list', '--workspace', 'research');
    expect(users).toMatchObject([{ username: 'owner', role: 'viewer' }]);
    await json('workspaces', 'rename', 'research', 'Applied');
    const { out } = await run('workspaces', 'list');
    expect(out).toMatch(/default\tDefault\tyes/);
    expect(out).toMatch(/research\tApplied\tno/);
  });

  it('names what is wrong: a workspace that is not there, and one beside --server', async () => {
    const unknown = await run('projects', 'list', '--workspace', 'nope');
    expect([unknown.code, unknown.error]).toEqual([1, expect.stringContaining('workspaces list')]);
    const both = await run('projects', 'list', '--workspace', 'x', '--server', 'http://127.0.0.1:1');
    expect([both.code, both.error]).toEqual([2, expect.stringContaining('--workspace')]);
  });
});

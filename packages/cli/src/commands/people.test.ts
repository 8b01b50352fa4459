import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GateProcess, startGateProcess } from '@tallygate/testkit/gate-process';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

/** Against a server of its own: what the commands do is what counts, not what they send. */
const OWNER = { DASHBOARD_USERNAME: 'owner', DASHBOARD_PASSWORD: 'a-throwaway-Passphrase-91' };
const PASSWORD = 'seven quiet otters paddle';

let root: string;
let gate: GateProcess;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tg-people-'));
  gate = await startGateProcess({ dataDir: join(root, 'data'), env: OWNER });
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
const post = (path: string, body: object) =>
  fetch(`${gate.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('users and sessions from the command line (CF-12)', () => {
  it('invite somebody, change the role, end the sessions, disable, enable, remove', async () => {
    const link = await json('users', 'invite', '--role', 'viewer', '--note', 'Mira', '--expires', '1d');
    const code = new URL(link.url).hash.replace('#code=', '');
    expect((await post('/api/entry/accept', { code, username: 'mira', password: PASSWORD })).status).toBe(
      201,
    );
    const { users } = await json('users', 'list');
    expect(users.map((user: { username: string; role: string }) => [user.username, user.role])).toEqual([
      ['owner', 'owner'],
      ['mira', 'viewer'],
    ]);
    expect((await json('users', 'role', 'MIRA', 'manager')).role).toBe('manager');
    expect((await run('users', 'list')).out).toMatch(/mira\tmanager\tactive\tno\tpassword\t/);
    expect((await json('sessions', 'list', '--user', 'mira')).sessions).toHaveLength(1);
    expect(await json('sessions', 'revoke', 'mira')).toEqual({ ended: 1 });
    expect((await run('sessions', 'list')).out).toBe('Nobody is signed in.\n');

    await json('users', 'disable', 'mira');
    expect((await post('/api/auth/login', { username: 'mira', password: PASSWORD })).status).toBe(401);
    await json('users', 'enable', 'mira');
    expect((await post('/api/auth/login', { username: 'mira', password: PASSWORD })).status).toBe(200);
    expect((await run('sessions', 'list')).out).toMatch(/\tmira\tpassword\t/);
    const [session] = (await json('sessions', 'list')).sessions;
    expect(await json('sessions', 'revoke', session.id)).toEqual({ ended: 1 });

    const reset = await json('users', 'reset-password', 'mira', '--second-factor');
    const fresh = new URL(reset.url).hash.replace('#code=', '');
    expect((await post('/api/entry/accept', { code: fresh, password: `${PASSWORD} far` })).status).toBe(201);
    expect(await json('users', 'remove', 'mira')).toMatchObject({ removed: true });
    expect((await json('users', 'list')).users).toHaveLength(1);
  });

  it('refusals keep the code of the API and say what to do', async () => {
    const last = await run('users', 'remove', 'owner', '--json');
    expect(last.code).not.toBe(0);
    expect(JSON.parse(last.error).error.code).toBe('last_owner');
    const near = await run('users', 'disable', 'ownr');
    expect(near.error).toContain('Did you mean owner?');
    expect((await run('users', 'invite', '--role', 'king', '--json')).error).toContain('invalid_request');
  });
});

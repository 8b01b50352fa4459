import { REVOKE_SESSIONS_CONFIRMATION, ROTATE_ALL_CONFIRMATION } from '@tallygate/contract/api/incident';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openEvents } from '@tallygate/testkit/event-client';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  world.call(path, { method: 'POST', body, headers, local: Object.keys(headers).length === 0 });

describe('pause and resume (CF-18)', () => {
  it('keeps who paused first and why, and records both acts', async () => {
    const owner = await world.setUp();
    const before = world.refreshes();
    await post('/api/incident/pause', { reason: 'leak' }, owner.headers);
    const again = await post('/api/incident/pause', { reason: 'other' });
    expect(again.json.paused).toMatchObject({ by: 'maria', reason: 'leak' });
    expect(world.refreshes() - before).toBe(2);
    const resumed = await post('/api/incident/resume');
    expect(resumed.json).toEqual({ paused: null, ended: 0 });
    const { json } = await world.call('/api/audit?outcome=ok&resource=traffic', { local: true });
    expect((json.entries as { changes: unknown }[]).map((entry) => entry.changes)).toEqual([
      [
        { field: 'paused', before: 'true', after: 'false' },
        { field: 'reason', before: 'leak', after: null },
      ],
      [],
      [
        { field: 'paused', before: 'false', after: 'true' },
        { field: 'reason', before: null, after: 'leak' },
      ],
    ]);
  });
});

describe('rotate-all and revoke-sessions (CF-18)', () => {
  it('revokes every key, the caller’s too, but only with the words', async () => {
    const admin = await world.makeKey(['admin']);
    await world.makeKey(['gateway']);
    const headers = { 'x-api-key': admin.key };
    expect((await post('/api/incident/rotate-all', {}, headers)).status).toBe(400);
    expect((await post('/api/incident/rotate-all', { confirm: 'yes' }, headers)).status).toBe(400);
    const stream = await openEvents(world.port, '/api/requests/stream', headers);
    const done = await post('/api/incident/rotate-all', { confirm: ROTATE_ALL_CONFIRMATION }, headers);
    expect(done.json).toEqual({ revoked: 2 });
    await stream.ended;
    expect((await world.call('/api/keys', { headers })).status).toBe(401);
    const { json } = await world.call('/api/incident', { local: true });
    expect(json).toEqual({ paused: null, workingKeys: 0 });
  });

  it('ends every session, the caller’s too', async () => {
    const first = await world.setUp();
    const second = await world.signIn();
    const done = await post(
      '/api/incident/revoke-sessions',
      { confirm: REVOKE_SESSIONS_CONFIRMATION },
      second.headers,
    );
    expect(done.json).toEqual({ ended: 2 });
    for (const { cookie } of [first, second])
      expect((await world.call('/api/auth/me', { headers: { cookie } })).status).toBe(401);
    const { json } = await world.call('/api/audit?limit=1', { local: true });
    expect(json.entries).toMatchObject([
      { action: 'POST /api/incident/revoke-sessions', actor: { name: 'maria' }, outcome: 'ok' },
    ]);
  });
});

describe('GET /api/incident/export', () => {
  it('holds the state and no secret', async () => {
    const key = await world.makeKey(['admin']);
    const apiKey = 'sk-ant-canary-7Qx2Wm9LpRtVbN4KsD8f';
    await post('/api/accounts', { provider: 'anthropic', name: 'main', apiKey });
    const answer = await world.call('/api/incident/export', { local: true });
    expect(answer.json).toMatchObject({
      settings: [{ name: 'port', value: '4100' }],
      keys: [{ id: key.id, revokedAt: null }],
      accounts: [{ name: 'main', credentialHint: 'sD8f' }],
      audit: { ok: true },
      security: { findings: [] },
    });
    for (const secret of [apiKey, key.key, 'sealed', 'Hash']) expect(answer.text).not.toContain(secret);
  });
});

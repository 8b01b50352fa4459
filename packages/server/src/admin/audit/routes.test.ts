import { DatabaseSync } from 'node:sqlite';
import type { AuditEntryView } from '@tallygate/contract/api/audit';
import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteEngine } from '../../store/sqlite/engine.ts';

let world: AdminWorld;
/** While true, no entry can be written. */
let broken = false;

beforeEach(async () => {
  broken = false;
  const store = await openTestStore();
  const audit = withMethods(store.audit, {
    append: (draft) => (broken ? Promise.reject(new Error('disk full')) : store.audit.append(draft)),
  });
  world = await startAdminWorld({ ...store, audit });
});
afterEach(() => world.close());

async function entries(query = ''): Promise<AuditEntryView[]> {
  const { json, status } = await world.call(`/api/audit${query}`, { local: true });
  expect(status).toBe(200);
  return json.entries as AuditEntryView[];
}
const brief = (entry: AuditEntryView | undefined) =>
  entry && [entry.action, entry.outcome, entry.status, entry.actor.kind, entry.actor.name];

describe('what is recorded (X-06, CF-13)', () => {
  it('a change: begun, then its outcome with who, whence and which fields', async () => {
    const owner = await world.setUp();
    const { json } = await world.call('/api/keys', {
      headers: { ...owner.headers, 'user-agent': 'test/1' },
      body: { name: 'laptop', scopes: ['gateway'] },
    });
    const [done, begun] = await entries('?action=POST%20/api/keys');
    expect(brief(begun)).toEqual(['POST /api/keys', 'started', null, 'user', OWNER.username]);
    expect(brief(done)).toEqual(['POST /api/keys', 'ok', 201, 'user', OWNER.username]);
    expect(done).toMatchObject({ resource: 'api_key', resourceId: json.id, class: 'secret' });
    expect(done).toMatchObject({ address: '127.0.0.1', userAgent: 'test/1', requestId: begun?.requestId });
    expect(done?.changes).toContainEqual({ field: 'name', before: null, after: 'laptop' });

    await world.call(`/api/keys/${json.id}`, {
      method: 'PATCH',
      headers: owner.headers,
      body: { name: 'desk' },
    });
    const [renamed] = await entries(`?resourceId=${json.id}`);
    expect(renamed?.changes).toEqual([{ field: 'name', before: 'laptop', after: 'desk' }]);
    await world.call(`/api/keys/${json.id}`, { method: 'DELETE', headers: owner.headers });
    const [revoked] = await entries(`?resourceId=${json.id}`);
    expect(revoked?.changes.map((change) => change.field)).toEqual(['revokedAtMs']);
  });

  it('no secret of an account, and that it has a new one (TW-14)', async () => {
    const first = 'sk-ant-first-7Qx2Wm9LpRtVbN4KsD8f';
    const second = 'sk-ant-second-7Qx2Wm9LpRtVbN4Ks9zz';
    const { json } = await world.call('/api/accounts', {
      local: true,
      body: { provider: 'anthropic', name: 'main', apiKey: first },
    });
    await world.call(`/api/accounts/${json.id}`, { method: 'PATCH', local: true, body: { apiKey: second } });
    const all = await entries();
    expect(all[0]?.changes).toEqual([{ field: 'credentialHint', before: 'sD8f', after: 's9zz' }]);
    expect(JSON.stringify(all)).not.toMatch(/7Qx2|sealed/);
    expect(brief(all[0])).toEqual(['PATCH /api/accounts/:id', 'ok', 200, 'local', null]);
  });

  it('set-up, signing in, failing to, and signing out, but no name that does not exist', async () => {
    await world.setUp();
    await world.call('/api/auth/login', { body: { ...OWNER, password: 'wrong wrong wrong' } });
    await world.call('/api/auth/login', { body: { username: OWNER.password, password: 'x' } });
    const me = await world.signIn();
    await world.call('/api/auth/logout', { method: 'POST', headers: me.headers, body: {} });
    const all = await entries();
    expect(all.map(brief).reverse()).toEqual([
      ['POST /api/setup', 'ok', 201, 'user', OWNER.username],
      ['POST /api/auth/login', 'refused', 401, 'anonymous', null],
      ['POST /api/auth/login', 'refused', 401, 'anonymous', null],
      ['POST /api/auth/login', 'ok', 200, 'user', OWNER.username],
      ['POST /api/auth/logout', 'ok', 200, 'user', OWNER.username],
    ]);
    const [unknown, known] = all.filter((entry) => entry.outcome === 'refused');
    expect(known?.resourceId).toBe(all.at(-1)?.actor.id);
    expect(unknown?.resourceId).toBeNull();
    expect(JSON.stringify(all)).not.toContain(OWNER.password);
  });

  it('a refusal of somebody known, and none of anybody: nobody without a credential fills the log', async () => {
    const reader = await world.makeKey(['read']);
    const body = { name: 'k', scopes: ['admin'] };
    await world.call('/api/keys', { body, headers: { 'x-api-key': reader.key } });
    await world.call('/api/keys', { body });
    await world.call('/api/keys', { body, headers: { 'x-api-key': `tg_${'A'.repeat(43)}` } });
    const after = await entries('?action=POST%20/api/keys&outcome=refused');
    expect(after).toHaveLength(1);
    expect(brief(after[0])).toEqual(['POST /api/keys', 'refused', 403, 'key', 'read']);
    expect(after[0]?.errorCode).toBe('permission_denied');
  });
});

describe('when the log cannot be written (X-06)', () => {
  it('what would change something is not done', async () => {
    const owner = await world.setUp();
    broken = true;
    const body = { name: 'laptop', scopes: ['admin'] };
    const answer = await world.call('/api/keys', { headers: owner.headers, body });
    expect([answer.status, answer.json.error?.code]).toEqual([503, 'audit_unavailable']);
    expect(await world.deps.store.config.listKeys(null)).toEqual([]);
    expect(world.logs.join()).toContain('the audit log cannot be written');
  });

  it('people can still sign in and read', async () => {
    await world.setUp();
    broken = true;
    const me = await world.signIn();
    expect((await world.call('/api/keys', { headers: { cookie: me.cookie } })).status).toBe(200);
  });
});

describe('GET /api/audit and its export', () => {
  it('pages by cursor and filters', async () => {
    for (let index = 0; index < 3; index++) {
      await world.call('/api/projects', { local: true, body: { slug: `p${index}` } });
    }
    const first = await world.call('/api/audit?limit=4', { local: true });
    expect((first.json.entries as AuditEntryView[]).map((entry) => entry.seq)).toEqual([6, 5, 4, 3]);
    const second = await world.call(`/api/audit?limit=4&cursor=${first.json.nextCursor}`, { local: true });
    expect((second.json.entries as AuditEntryView[]).map((entry) => entry.seq)).toEqual([2, 1]);
    expect(second.json.nextCursor).toBeNull();
    expect(await entries('?outcome=started')).toHaveLength(3);
    expect(await entries('?outcome=started,ok&resource=project&limit=2')).toHaveLength(2);
    expect((await world.call('/api/audit?outcome=done', { local: true })).status).toBe(400);
  });

  it('exports every entry in order, and records that it was exported', async () => {
    await world.call('/api/projects', { local: true, body: { slug: 'p' } });
    const page = await world.call('/api/audit/export?limit=1', { local: true });
    expect(page.json).toMatchObject({ format: 'jsonl', next: 1 });
    const rest = await world.call('/api/audit/export?after=1&format=syslog', { local: true });
    expect(rest.json.next).toBeNull();
    const [line] = rest.json.lines as string[];
    expect(line).toMatch(
      /^<110>1 2026-11-22T12:00:00\.000Z - tallygate - POST_\/api\/projects \[tallygate@32473 /,
    );
    const [last] = await entries();
    expect(brief(last)).toEqual(['GET /api/audit/export', 'ok', 200, 'local', null]);
  });
});

describe('POST /api/audit/verify (X-06)', () => {
  it('says that all is well, and finds a log that was rewritten as a whole by a hash kept elsewhere', async () => {
    await world.call('/api/projects', { local: true, body: { slug: 'p' } });
    const { json } = await world.call('/api/audit/verify', { local: true, body: {} });
    expect(json).toMatchObject({ ok: true, entries: 2, problems: [] });
    const head = json.head as { seq: number; hash: string };
    const good = await world.call('/api/audit/verify', { local: true, body: { expect: head } });
    expect(good.json.ok).toBe(true);
    const expect1 = { seq: 1, hash: head.hash };
    const bad = await world.call('/api/audit/verify', { local: true, body: { expect: expect1 } });
    expect(bad.json).toMatchObject({ ok: false, problems: [{ seq: 1, kind: 'replaced' }] });
  });

  it('names what was done to the file behind its back', async () => {
    const target = sqliteTarget();
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'ledger' });
    await store.migrate();
    const other = await startAdminWorld(store);
    for (let index = 0; index < 4; index++) {
      await other.call('/api/projects', { local: true, body: { slug: `p${index}` } });
    }
    const file = new DatabaseSync(url.slice('sqlite:'.length));
    file.exec("update audit_entry set actor_kind = 'key' where seq = 3");
    file.exec('delete from audit_entry where seq in (5, 8)');
    file.close();
    const { json } = await other.call('/api/audit/verify', { local: true, body: {} });
    const problems = json.problems as { seq: number; kind: string }[];
    expect(problems.map(({ seq, kind }) => [seq, kind])).toEqual([
      [3, 'changed'],
      [5, 'missing'],
      [8, 'truncated'],
    ]);
    await other.close();
    await target.cleanUp();
  });
});

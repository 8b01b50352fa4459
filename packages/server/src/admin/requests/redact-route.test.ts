import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PATH = '/api/requests/redact';
const SESSION = 'planted-session-of-ada';
const TAG = 'planted-customer-17';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  const { id: apiKeyId } = await world.makeKey(['gateway'], 'alpha');
  const project = (await world.deps.store.config.listProjects(null)).find((row) => row.slug === 'alpha');
  const common = { apiKeyId, projectId: project?.id ?? '', sessionId: SESSION, tags: [TAG] };
  await world.deps.store.ledger.commit(
    ['r1', 'r2', 'r3'].map((id, i) => sampleSettled(id, { ...common, startedAtMs: world.clock.ms + i })),
    { nodeId: 'n', committed: { segment: 0, offset: 0 }, lowWaterSegment: 0 },
  );
});
afterEach(() => world.close());

const redact = (body: object, headers?: Record<string, string>) =>
  world.call(PATH, headers === undefined ? { local: true, body } : { body, headers });
const bearer = ({ key }: { key: string }) => ({ authorization: `Bearer ${key}` });
const listed = async (query: string) =>
  (await world.call(`/api/requests${query}`, { local: true })).json.requests as { id: string }[];

describe('POST /api/requests/redact (TW-12)', () => {
  it('counts, then removes, then has nothing left; the audit log has the number and never the value', async () => {
    expect(await listed(`?session=${SESSION}`)).toHaveLength(3);
    expect((await redact({ sessionId: SESSION, dryRun: true })).json).toEqual({ dryRun: true, rows: 3 });
    expect(await listed(`?session=${SESSION}`)).toHaveLength(3);
    const to = new Date(world.clock.ms + 1).toISOString();
    expect((await redact({ tag: TAG, to })).json).toEqual({ dryRun: false, rows: 1 });
    expect((await redact({ requestId: 'r2' })).json).toEqual({ dryRun: false, rows: 1 });
    expect((await redact({ sessionId: SESSION })).json).toEqual({ dryRun: false, rows: 1 });
    expect((await redact({ sessionId: SESSION })).json).toEqual({ dryRun: false, rows: 0 });
    expect(await listed(`?session=${SESSION}`)).toEqual([]);
    expect(await listed('')).toHaveLength(3);
    const audit = JSON.stringify((await world.call('/api/audit', { local: true })).json);
    expect(audit).toContain(`POST ${PATH}`);
    expect(audit).toContain('"field":"rows","before":null,"after":"3"');
    for (const planted of [SESSION, TAG]) expect(audit + world.logs.join('\n')).not.toContain(planted);
  });

  it('400 unless exactly one of the three is named, and for a range that runs backwards', async () => {
    const at = new Date(world.clock.ms).toISOString();
    for (const body of [
      {},
      { tag: TAG, sessionId: SESSION },
      { tag: '' },
      { tag: TAG, from: at, to: at },
      { tag: TAG, x: 1 },
    ]) {
      const answer = await redact(body);
      expect([answer.status, answer.text.includes(SESSION)]).toEqual([400, false]);
    }
    expect(await listed(`?tag=${TAG}`)).toHaveLength(3);
  });

  it('needs the permission: the scope admin, or a role that may', async () => {
    expect((await redact({ tag: TAG }, {})).status).toBe(401);
    expect((await redact({ tag: TAG }, bearer(await world.makeKey(['read', 'gateway'])))).status).toBe(403);
    const owner = await world.setUp();
    const developer = await world.join('developer', 'dora');
    expect((await redact({ tag: TAG }, developer.headers)).status).toBe(403);
    expect((await redact({ tag: TAG }, { cookie: owner.cookie })).status).toBe(403); // without its CSRF token
    expect(await listed(`?tag=${TAG}`)).toHaveLength(3);
    expect((await redact({ tag: TAG, dryRun: true }, owner.headers)).json.rows).toBe(3);
    expect((await redact({ tag: TAG }, bearer(await world.makeKey(['admin'])))).json.rows).toBe(3);
  });
});

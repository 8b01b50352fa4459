import type { SecurityOverview } from '@tallygate/contract/api/security';
import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

async function overview(): Promise<SecurityOverview> {
  const { text, status } = await world.call('/api/security/overview', { local: true });
  expect(status).toBe(200);
  return JSON.parse(text) as SecurityOverview;
}

describe('GET /api/security/overview (NX-10)', () => {
  it('counts failed sign-ins, wrong keys, forbidden and forged calls by address', async () => {
    const owner = await world.setUp();
    await world.call('/api/auth/login', { body: { ...OWNER, password: 'wrong wrong wrong' } });
    await world.call('/api/keys', { headers: { 'x-api-key': `tg_leaked1${'A'.repeat(36)}` } });
    const reader = await world.makeKey(['read']);
    await world.call('/api/keys', { headers: { 'x-api-key': reader.key } });
    await world.call('/api/keys', {
      headers: { cookie: owner.cookie },
      body: { name: 'x', scopes: ['read'] },
    });
    await world.call('/api/keys'); // nobody: every visitor asks like this before signing in
    const { addresses, hours, keyPrefixes } = await overview();
    const counts = { login_failed: 1, unauthorized: 1, forbidden: 1, csrf_refused: 1 };
    expect(addresses).toMatchObject([{ name: '127.0.0.1', lastDay: counts }]);
    expect(hours).toHaveLength(24);
    expect(hours.at(-1)?.counts).toMatchObject(counts);
    expect(keyPrefixes.map((row) => row.name).sort()).toEqual(['tg_leaked1', reader.key.slice(0, 10)].sort());
  });
});

describe('POST /api/csp-report', () => {
  const report = (body: unknown, type = 'application/csp-report') =>
    world.call('/api/csp-report', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': type },
    });

  it('takes what browsers send, and keeps no query and no fragment of it', async () => {
    const answer = await report({
      'csp-report': {
        'document-uri': 'http://127.0.0.1:4100/setup?secret=1#code=2',
        'blocked-uri': 'https://evil.example/x.js?token=3',
        'effective-directive': 'script-src-elem',
        'script-sample': 'secret',
      },
    });
    expect(answer.status).toBe(200);
    await report({ 'csp-report': { 'blocked-uri': 'inline', 'violated-directive': "style-src 'self'" } });
    const { cspReports, findings } = await overview();
    expect(cspReports).toMatchObject([
      { directive: 'style-src', blocked: 'inline', page: '' },
      {
        directive: 'script-src-elem',
        blocked: 'https://evil.example/x.js',
        page: 'http://127.0.0.1:4100/setup',
      },
    ]);
    expect(findings.map((finding) => finding.rule)).toEqual(['csp_report']);
    expect((await world.call('/healthz')).headers['content-security-policy']).toContain(
      'report-uri /api/csp-report',
    );
  });

  it('is bounded in size, in number and in form', async () => {
    expect((await report({ 'csp-report': { 'blocked-uri': 'x'.repeat(20_000) } })).status).toBe(413);
    expect((await report({ report: {} })).status).toBe(400);
    expect((await report({ 'csp-report': {} }, 'text/plain')).status).toBe(415);
    const answers = await Promise.all(Array.from({ length: 60 }, () => report({ 'csp-report': {} })));
    expect(answers.filter((answer) => answer.status === 429).length).toBeGreaterThanOrEqual(30);
    expect((await overview()).cspReports.length).toBeLessThanOrEqual(50);
  });
});

describe('/api/security/checkup (NX-11)', () => {
  const checkup = '/api/security/checkup';
  type Line = { id: string; status: string; fix: string | null };
  const lines = (json: unknown): Record<string, string> => {
    const { lastRun } = json as { lastRun: { safety: Line[]; order: Line[] } };
    return Object.fromEntries([...lastRun.safety, ...lastRun.order].map(({ id, status }) => [id, status]));
  };
  const run = () => world.call(checkup, { local: true, method: 'POST', body: {} });

  it('finds people, keys, backups and the log as they are, and keeps what the last run found', async () => {
    expect((await world.call(checkup, { local: true })).json).toEqual({ lastRun: null });
    const owner = await world.setUp();
    const made = await world.call(checkup, { method: 'POST', headers: owner.headers, body: {} });
    expect(made.status).toBe(200);
    expect(lines(made.json)).toMatchObject({
      user: 'ok',
      clock: 'warn',
      second_factors: 'fail',
      stale_keys: 'ok',
      admin_keys: 'ok',
      backup_age: 'warn',
      audit_log: 'ok',
      findings: 'ok',
      store: 'ok',
      journal: 'ok',
    });
    expect(made.json).toMatchObject({ lastRun: { by: OWNER.username, at: '2026-11-22T12:00:00.000Z' } });
    expect((await world.call(checkup, { local: true })).json).toEqual(made.json);
    await world.makeKey(['admin']);
    world.clock.ms += 91 * 86_400_000;
    expect(lines((await run()).json)).toMatchObject({
      stale_keys: 'fail',
      admin_keys: 'warn',
      backup_age: 'fail',
    });
    const { json } = await world.call('/api/audit', { local: true });
    expect(JSON.stringify(json)).toContain('POST /api/security/checkup');
  });

  it('403 for whoever may not operate the installation, 401 for strangers, 403 without the CSRF token', async () => {
    const owner = await world.setUp();
    const auditor = await world.join('auditor', 'otto');
    for (const method of ['GET', 'POST'] as const) {
      const body = method === 'GET' ? {} : { body: {} };
      expect((await world.call(checkup, { method, headers: auditor.headers, ...body })).status).toBe(403);
      expect((await world.call(checkup, { method, ...body })).status).toBe(401);
    }
    const forged = { method: 'POST', headers: { cookie: owner.cookie }, body: {} } as const;
    expect((await world.call(checkup, forged)).json.error?.code).toBe('csrf_failed');
    expect((await world.call(checkup, { local: true })).json).toEqual({ lastRun: null });
  });

  it('counts a person of two workspaces once, by the most that they may', async () => {
    await world.setUp();
    const { store } = world.deps;
    const elsewhere = { slug: 'two', name: 'Two' };
    await world.call('/api/workspaces', { local: true, body: elsewhere });
    const [, second] = await store.config.listWorkspaces();
    await world.call(`/api/workspaces/${second?.id}/members`, {
      local: true,
      body: { username: OWNER.username, role: 'viewer' },
    });
    const { json } = await run();
    expect(JSON.stringify(json)).toContain(`1 of 1 people sign in with a password alone: ${OWNER.username}`);
    expect(lines(json)).toMatchObject({ second_factors: 'fail' });
  });
});

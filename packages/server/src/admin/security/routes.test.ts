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

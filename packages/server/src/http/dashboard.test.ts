import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const INDEX = '<!doctype html><title>Tallygate</title>';
const SCRIPT = 'export const answer = 42;\n'.repeat(50);
let dir: string;
let world: AdminWorld;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-dash-'));
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), INDEX);
  writeFileSync(join(dir, 'favicon.svg'), '<svg/>');
  writeFileSync(join(dir, 'assets/app-B3x9_kQ2.js'), SCRIPT);
  writeFileSync(join(dir, 'assets/app-B3x9_kQ2.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(dir, 'assets/app-B3x9_kQ2.js.map'), '{"sources":["secret-map"]}');
  writeFileSync(join(dir, 'notes.unknown'), 'x');
  symlinkSync('/etc/passwd', join(dir, 'passwd.txt'));
  world = await startAdminWorld(await openTestStore(), { dashboardDir: dir });
});
afterAll(async () => {
  await world.close();
  rmSync(dir, { recursive: true, force: true });
});

const html = { accept: 'text/html,application/xhtml+xml' };

describe('the dashboard', () => {
  it.each(['/', '/index.html', '/requests', '/requests/0199/detail?x=1&y=2', '/accounts', '/login'])(
    'is the document for the page %s',
    async (path) => {
      const answer = await world.call(path, { headers: html });
      expect([answer.status, answer.text]).toEqual([200, INDEX]);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect(answer.headers['content-security-policy']).toContain("script-src 'self';");
    },
  );

  it('keeps hashed assets for ever, answers 304, and sends what was compressed at build time', async () => {
    const path = '/assets/app-B3x9_kQ2.js';
    const plain = await world.call(path);
    expect([plain.status, plain.text]).toEqual([200, SCRIPT]);
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(plain.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.vary).toBe('accept-encoding');
    const etag = String(plain.headers.etag);
    const same = await world.call(path, { headers: { 'if-none-match': etag } });
    expect([same.status, same.text]).toEqual([304, '']);
    expect((await world.call(path, { headers: { 'accept-encoding': 'gzip;q=0, br' } })).text).toBe(SCRIPT);

    const zipped = await new Promise<{ headers: Record<string, unknown>; body: Buffer }>(
      (resolve, reject) => {
        request(
          { port: world.port, host: '127.0.0.1', path, headers: { 'accept-encoding': 'br, gzip' } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
          },
        )
          .on('error', reject)
          .end();
      },
    );
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(zipped.headers.etag).not.toBe(etag);
    expect(gunzipSync(zipped.body).toString()).toBe(SCRIPT);
  });

  it.each([
    '/assets/missing-AAAAAAAA.js',
    '/assets/app-B3x9_kQ2.js.map',
    '/assets/app-B3x9_kQ2.js.gz',
    '/notes.unknown',
    '/passwd.txt',
    '/../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..%2f..%2fetc%2fpasswd',
    '/assets/',
    '/..\\..\\etc\\passwd',
  ])('404 for %s', async (path) => {
    const answer = await world.call(path);
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toMatch(/root:|secret-map/);
  });

  it('is no answer for the API, for files, or for a client that wants no page', async () => {
    for (const path of ['/api/nothing', '/metrics/x', '/assets/x']) {
      expect((await world.call(path, { headers: html })).status).toBe(404);
    }
    expect((await world.call('/requests', { headers: { accept: 'application/json' } })).status).toBe(404);
  });

  it('is a plain-text banner when headless (WT-08), while the API goes on', async () => {
    const headless = await startAdminWorld(await openTestStore(), { dashboardDir: dir, headless: true });
    const banner = await headless.call('/', { headers: html });
    expect([banner.status, banner.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(banner.text).toContain('HEADLESS=true');
    expect(banner.text).not.toContain('9.9.9');
    for (const path of ['/requests', '/index.html', '/assets/app-B3x9_kQ2.js']) {
      expect((await headless.call(path, { headers: html })).status).toBe(404);
    }
    expect((await headless.call('/api/setup/status')).status).toBe(200);
    expect((await headless.call('/metrics', { local: true })).text).toContain('tallygate_up 1');
    await headless.close();
  });

  it('says so when it is not built', async () => {
    const bare = await startAdminWorld(await openTestStore(), { dashboardDir: join(dir, 'nowhere') });
    expect((await bare.call('/')).text).toContain('not built');
    await bare.close();
  });
});

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { judgeSecondFactors } from '@tallygate/server/checkup/state-checks';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { selfSigned } from '@tallygate/testkit/self-signed';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';
import { keepReport, readAdvisories } from './dependency-check.ts';

const DAY_MS = 86_400_000;
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function run(args: readonly string[], options: Parameters<typeof recordingTerminal>[0] = {}) {
  const terminal = recordingTerminal(options);
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, stdout: terminal.written.out };
}
async function check(args: readonly string[] = [], options: Parameters<typeof recordingTerminal>[0] = {}) {
  const { code, stdout } = await run(['security-check', '--offline', '--json', ...args], options);
  const { ok, checks }: { ok: boolean; checks: CheckResult[] } = JSON.parse(stdout);
  const status = Object.fromEntries(checks.map((it) => [it.id, it.status]));
  return { code, ok, checks, status, text: stdout };
}

describe('tallygate security-check (NX-11)', () => {
  it('passes on a fresh installation with a backup', async () => {
    await run(['keys', 'create', '--name', 'k']);
    const backups = await mkdtemp(join(tmpdir(), 'tg-'));
    await run(['backup', join(backups, 'b.backup')]);
    const { code, ok, status } = await check();
    await rm(backups, { recursive: true });
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const { user: _root, ...rest } = status; // whoever runs the tests
    expect(new Set(Object.values(rest))).toEqual(new Set(['ok']));
    expect((await run(['security-check', '--offline'])).stdout).toMatch(/^pass {2}data_directory: /);
  });

  it('fails for open files, an open folder, weak secrets and a database without TLS, and tells no secret', async () => {
    await run(['keys', 'create', '--name', 'k']);
    await writeFile(join(dataDir, 'open.txt'), '');
    await chmod(join(dataDir, 'open.txt'), 0o644);
    const env = {
      DASHBOARD_USERNAME: 'maria',
      DASHBOARD_PASSWORD: 'changeme12345',
      TALLYGATE_MASTER_KEY: '00'.repeat(32),
    };
    const found = await check(['--host', '0.0.0.0'], { env });
    expect(found.code).toBe(1);
    expect(found.status).toMatchObject({ data_files: 'fail', secrets: 'fail', bind_address: 'warn' });
    expect(found.text).toContain('open.txt');
    expect(found.text).not.toMatch(/changeme|0000000/);
    for (const line of found.checks) expect(line.fix === null).toBe(line.status === 'ok');
    const { checkDatabaseTls, checkRedisTls, checkSecrets } = await import(
      '@tallygate/server/checkup/host-checks'
    );
    const { Secret } = await import('@tallygate/server/kernel/secret');
    const at = (url: string) =>
      ({
        config: { dbUrl: new Secret(url), dashboardPassword: null, masterKey: null },
      }) as never;
    const remote = 'postgres://tg:postgres@db.example/tg';
    expect(await checkDatabaseTls(at(remote))).toMatchObject({ status: 'fail' });
    expect(await checkDatabaseTls(at(`${remote}?sslmode=require`))).toMatchObject({ status: 'warn' });
    expect(await checkDatabaseTls(at(`${remote}?sslmode=verify-full`))).toMatchObject({ status: 'ok' });
    expect(await checkSecrets(at(remote))).toMatchObject({ status: 'fail' });
    const redis = (url: string | null) =>
      ({ config: { redisUrl: url === null ? null : new Secret(url) } }) as never;
    for (const [url, status] of [
      [null, 'ok'],
      ['redis://127.0.0.1:6379', 'ok'],
      ['rediss://cache.example', 'ok'],
      ['redis://cache.example', 'fail'],
    ] as const)
      expect([url, (await checkRedisTls(redis(url))).status]).toEqual([url, status]);
  });

  it('fails for keys nobody uses, an old backup and a log that was tampered with', async () => {
    await run(['keys', 'create', '--name', 'forgotten', '--scopes', 'admin']);
    const later = { now: new Date(Date.now() + 91 * DAY_MS) };
    const found = await check([], later);
    expect(found.status).toMatchObject({ stale_keys: 'fail', admin_keys: 'warn', backup_age: 'fail' });
    const file = new DatabaseSync(join(dataDir, 'tallygate.db'));
    file.exec('delete from audit_entry where seq = 1');
    file.close();
    expect((await check()).status).toMatchObject({ audit_log: 'fail' });
  });

  it('looks at the certificate, the sites that may read answers, and the browser policy', async () => {
    await run(['keys', 'create', '--name', 'k']);
    const { cert, key } = selfSigned();
    const [certFile, keyFile] = [join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')];
    await writeFile(certFile, cert, { mode: 0o600 });
    await writeFile(keyFile, key, { mode: 0o600 });
    const env = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
    const open = ['--host', '0.0.0.0'];
    expect((await check(open)).status).toMatchObject({ bind_address: 'warn', tls: 'warn' });
    const safe = await check(open, { env: { ...env, CORS_ORIGIN: 'https://app.example' }, now: new Date() });
    expect(safe.status).toMatchObject({ bind_address: 'ok', tls: 'ok', cors: 'ok', content_policy: 'ok' });

    const years = { now: new Date(Date.now() + 200 * 365 * DAY_MS) };
    expect((await check(open, { env, ...years })).status).toMatchObject({ tls: 'fail' });
    const loose = { CORS_ORIGIN: 'http://app.example', CSP_REPORT_ONLY: 'true' };
    expect((await check([], { env: loose })).status).toMatchObject({ cors: 'warn', content_policy: 'fail' });
    expect((await check([], { env: { CORS_ORIGIN: '*' } })).status).toMatchObject({ cors: 'fail' });
  });

  it('looks at the address of the dashboard too, where it has one of its own', async () => {
    await run(['keys', 'create', '--name', 'k']);
    const env = { ADMIN_LISTEN: '0.0.0.0:4199' };
    const open = await check([], { env });
    expect(open.status).toMatchObject({ bind_address: 'ok', bind_address_admin: 'warn', tls: 'warn' });
    const behind = { TRUSTED_PROXIES: '10.0.0.1', ADMIN_ALLOWED_ADDRESSES: '10.0.0.0/8' };
    const named = await check([], { env: { ...env, ...behind } });
    expect(named.status).toMatchObject({ bind_address_admin: 'ok' });
    const inside = await check([], { env: { ADMIN_LISTEN: '127.0.0.1:4199' } });
    expect(inside.status).toMatchObject({ bind_address_admin: 'ok', tls: 'ok' });
    expect((await check()).status.bind_address_admin).toBeUndefined();
  });

  it.each([
    ['nobody', [], 'ok'],
    ['an owner with one', [['owner', true]], 'ok'],
    ['an owner without', [['owner', false]], 'fail'],
    [
      'a viewer without',
      [
        ['owner', true],
        ['viewer', false],
      ],
      'warn',
    ],
    ['a disabled admin without', [['admin', false, true]], 'ok'],
  ] as const)('judges who has a second factor: %s', async (_who, people, status) => {
    const users = people.map(([role, secondFactor, disabled = false]) => ({
      username: 'maria',
      role,
      secondFactor,
      disabledAt: disabled ? new Date(0).toISOString() : null,
    }));
    expect(judgeSecondFactors(users)).toMatchObject({ status });
  });
});

describe('advisories of the packages in use (CF-13)', () => {
  const report = (...severities: string[]) =>
    JSON.stringify({
      vulnerabilities: Object.fromEntries(
        severities.map((severity) => [severity, { name: 'undici', severity }]),
      ),
      metadata: { vulnerabilities: { total: severities.length } },
    });

  it.each([
    ['none', report(), 'ok'],
    ['a low one', report('low'), 'warn'],
    ['a high one among others', report('low', 'high'), 'fail'],
    ['a critical one', report('critical'), 'fail'],
    ['a registry that refuses', '{"message":"405 Method Not Allowed"}', 'warn'],
    ['no registry', '', 'warn'],
  ])('%s', (_what, output, status) => expect(readAdvisories(output).result.status).toBe(status));

  it.each([
    ['a running server keeps what the registry said', 'local', report('high'), 1],
    ['nothing is kept when the registry did not answer', 'local', '', 0],
    ['nothing is kept where no server runs', 'in-process', report(), 0],
  ] as const)('%s', async (_what, kind, output, times) => {
    const kept: unknown[] = [];
    const security = { keepDependencies: async (found: unknown) => void kept.push(found) };
    await keepReport({ target: { kind, description: '' }, security }, readAdvisories(output));
    expect(kept).toHaveLength(times);
    if (times > 0) expect(kept[0]).toMatchObject({ status: 'fail', fix: expect.stringContaining('Update') });
  });

  it('a server that does not take it spoils no check', async () => {
    const security = { keepDependencies: () => Promise.reject(new Error('404')) };
    const target = { kind: 'local', description: '' } as const;
    await expect(keepReport({ target, security }, readAdvisories(report()))).resolves.toBeUndefined();
  });
});

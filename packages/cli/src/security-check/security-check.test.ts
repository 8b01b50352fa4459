import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckResult } from '../doctor/check.ts';
import { runCli } from '../run-cli.ts';

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
  const { code, stdout } = await run(['security-check', '--json', ...args], options);
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
    expect((await run(['security-check'])).stdout).toMatch(/^pass {2}data_directory: /);
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
    const { checkDatabaseTls, checkSecrets } = await import('./host-checks.ts');
    const { Secret } = await import('@tallygate/server/kernel/secret');
    const at = (url: string) =>
      ({
        settings: { config: { dbUrl: new Secret(url), dashboardPassword: null, masterKey: null } },
      }) as never;
    const remote = 'postgres://tg:postgres@db.example/tg';
    expect(await checkDatabaseTls(at(remote))).toMatchObject({ status: 'fail' });
    expect(await checkDatabaseTls(at(`${remote}?sslmode=require`))).toMatchObject({ status: 'warn' });
    expect(await checkDatabaseTls(at(`${remote}?sslmode=verify-full`))).toMatchObject({ status: 'ok' });
    expect(await checkSecrets(at(remote))).toMatchObject({ status: 'fail' });
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
});

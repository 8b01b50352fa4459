import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { dataPaths } from '@tallygate/server/config/data-paths';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { stubAccount, stubSystem } from '@tallygate/testkit/stub-admin-data';
import { type StubAdminServer, startStubAdminServer } from '@tallygate/testkit/stub-admin-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

let dataDir: string;
let stub: StubAdminServer | null = null;
let holder: Server | null = null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(async () => {
  await stub?.close();
  stub = null;
  await new Promise<void>((resolve) => (holder ? holder.close(() => resolve()) : resolve()));
  holder = null;
  await rm(dataDir, { recursive: true, force: true });
});

async function doctor(args: readonly string[] = [], now = new Date()) {
  const terminal = recordingTerminal({ now });
  const code = await runCli(['doctor', '--data-dir', dataDir, '--json', ...args], terminal);
  const body: { ok: boolean; checks: CheckResult[] } = JSON.parse(terminal.written.out);
  const check = (id: string) => body.checks.find((it) => it.id === id);
  return { code, ...body, check };
}

/** A server on the data directory, its control socket at least. */
async function serve(journal: Partial<typeof stubSystem.journal> = {}, accounts = [stubAccount()]) {
  const { controlDir, controlSocket } = dataPaths(dataDir, process.getuid?.() ?? null);
  await mkdir(controlDir, { mode: 0o700 });
  stub = await startStubAdminServer(
    {
      'GET /api/system': () => ({ json: { ...stubSystem, journal: { ...stubSystem.journal, ...journal } } }),
      'GET /api/accounts': () => ({ json: { accounts } }),
      'POST /api/accounts/a1/test': () => ({
        json: {
          ok: false,
          httpStatus: 401,
          latencyMs: 12,
          message: 'The upstream refused the credential.',
          models: [],
        },
      }),
    },
    { socketPath: controlSocket },
  );
}

describe('tallygate doctor (WT-10)', () => {
  it('finds a running server in order, but for the address it should answer at', async () => {
    await serve();
    const { code, ok, check } = await doctor(['--port', '1']);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(check('data_directory')).toMatchObject({ status: 'ok' });
    expect(check('store')).toMatchObject({ status: 'ok', message: expect.stringContaining('schema 3') });
    expect(check('journal')).toMatchObject({ status: 'ok' });
    expect(check('port')).toMatchObject({ status: 'warn' });
  });

  it('says what is set, and where', async () => {
    await serve();
    const { check } = await doctor(['--port', '1']);
    expect(check('configuration')?.message).toContain('port=1 (--port)');
  });

  it('fails when the journal cannot be written', async () => {
    await serve({ state: 'full' });
    const { code, ok, check } = await doctor();
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(check('journal')).toMatchObject({ status: 'fail', fix: expect.stringContaining('disk') });
  });

  it('warns when the store does not keep up', async () => {
    await serve({ backlogEntries: 1_000_000 });
    expect((await doctor()).check('journal')).toMatchObject({ status: 'warn' });
  });

  it('tries upstreams only when asked', async () => {
    await serve();
    expect((await doctor()).check('upstream:main')).toBeUndefined();
    const asked = await doctor(['--upstreams']);
    expect(asked.code).toBe(1);
    expect(asked.check('upstream:main')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('refused'),
    });
  });

  it('does not try paused accounts, and misses having none', async () => {
    await serve({}, [stubAccount({ paused: true })]);
    expect((await doctor(['--upstreams'])).check('upstream:main')).toMatchObject({ status: 'ok' });
    await stub?.close();
    await rm(dataPaths(dataDir, process.getuid?.() ?? null).controlDir, { recursive: true });
    await serve({}, []);
    expect((await doctor(['--upstreams'])).check('upstreams')).toMatchObject({ status: 'warn' });
  });

  it('gives the exact command for open permissions', async () => {
    await serve();
    await chmod(dataDir, 0o755);
    await writeFile(join(dataDir, 'master.key'), 'x');
    await chmod(join(dataDir, 'master.key'), 0o644);
    const { code, check } = await doctor();
    expect(check('data_directory')).toMatchObject({ status: 'warn', fix: `chmod 700 '${dataDir}'` });
    expect(check('master_key')).toMatchObject({ status: 'fail', fix: `chmod 600 '${dataDir}/master.key'` });
    expect(code).toBe(1);
  });

  it('misses the master key of a database that is there', async () => {
    await serve();
    await writeFile(join(dataDir, 'tallygate.db'), '');
    expect((await doctor()).check('master_key')).toMatchObject({ status: 'fail' });
  });

  it('names who has the port', async () => {
    holder = createServer();
    await new Promise<void>((resolve) => holder?.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await rm(dataDir, { recursive: true });
    const { code, check } = await doctor(['--port', String(port)]);
    expect(code).toBe(1);
    expect(check('port')?.status).toBe('fail');
    if (process.platform === 'linux') expect(check('port')?.message).toContain(`(process ${process.pid})`);
  });

  it('looks at the port of the dashboard too, where it has an address of its own', async () => {
    holder = createServer();
    await new Promise<void>((resolve) => holder?.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await rm(dataDir, { recursive: true });
    const { code, check } = await doctor(['--port', '0', '--admin-listen', `127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(check('port')).toMatchObject({ status: 'ok' });
    expect(check('port_admin')).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('ADMIN_LISTEN'),
    });
  });

  it('says that a port is free', async () => {
    await rm(dataDir, { recursive: true });
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    expect((await doctor(['--port', String(port)])).check('port')).toMatchObject({ status: 'ok' });
  });

  it('makes no data directory, and says that there is none', async () => {
    await rm(dataDir, { recursive: true });
    const { check, checks } = await doctor(['--port', '0']);
    expect(check('data_directory')).toMatchObject({ status: 'warn' });
    expect(check('disk_space')?.status).not.toBe('fail');
    expect(checks.map(({ id }) => id)).not.toContain('store');
    await expect(mkdir(dataDir)).resolves.toBeUndefined();
  });

  it('notices a clock that was set back', async () => {
    await serve();
    const later = new Date(Date.now() + 86_400_000);
    await writeFile(join(dataDir, 'tallygate.db'), '');
    await utimes(join(dataDir, 'tallygate.db'), later, later);
    expect((await doctor()).check('clock')).toMatchObject({ status: 'warn' });
    expect((await doctor([], new Date('2001-01-01T00:00:00Z'))).check('clock')).toMatchObject({
      status: 'fail',
    });
    expect((await doctor([], new Date(later.getTime() + 1000))).check('clock')).toMatchObject({
      status: 'ok',
    });
  });

  it('refuses a control socket that others could have made', async () => {
    await serve();
    await chmod(dataPaths(dataDir, process.getuid?.() ?? null).controlDir, 0o777);
    expect((await doctor()).check('control_socket')).toMatchObject({ status: 'fail' });
  });

  it('reports a wrong setting as the failed check', async () => {
    const { code, checks } = await doctor(['--port', 'abc']);
    expect(code).toBe(1);
    expect(checks).toEqual([expect.objectContaining({ id: 'configuration', status: 'fail' })]);
  });

  it('prints a line a check with its remedy', async () => {
    await serve({ state: 'degraded' });
    const terminal = recordingTerminal({ now: new Date() });
    await runCli(['doctor', '--data-dir', dataDir], terminal);
    expect(terminal.written.out).toMatch(/^ok {4}store: The store \(sqlite, schema 3\) answers\.$/m);
    expect(terminal.written.out).toMatch(/^warn {2}journal: .*\n {6}fix: /m);
  });
});

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '@tallygate/cli/run-cli';
import type { CheckResult, CheckupView } from '@tallygate/contract/api/checkup';
import { controlRequest, startGateProcess } from '@tallygate/testkit/gate-process';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { startWireWorld } from '@tallygate/testkit/wire-world';
import { expect, it } from 'vitest';

it('(NX-11) a server finds its own open files, weak secrets and plain transport, and says what to do', async () => {
  const world = await startWireWorld({ config: { CORS_ORIGIN: 'http://app.example' } });
  try {
    const run = async () => {
      const { lastRun } = await world.gate.admin<CheckupView>('POST', '/api/security/checkup', {});
      const by = (part: 'safety' | 'order') =>
        Object.fromEntries((lastRun?.[part] ?? []).map((line) => [line.id, line]));
      return { safety: by('safety'), order: by('order') };
    };
    const whole = await run();
    for (const id of ['data_directory', 'data_files', 'master_key', 'bind_address', 'tls', 'database_tls'])
      expect([id, whole.safety[id]?.status]).toEqual([id, 'ok']);
    expect(whole.safety.cors).toMatchObject({ status: 'warn', fix: expect.stringContaining('https') });
    expect(Object.keys(whole.order)).toEqual(
      expect.arrayContaining(['data_directory', 'disk_space', 'clock', 'store', 'journal', 'prices']),
    );
    await chmod(join(world.gate.dataDir, 'master.key'), 0o644);
    const open = await run();
    expect(open.safety.master_key).toMatchObject({
      status: 'fail',
      fix: expect.stringMatching(/^chmod 600 /),
    });
    expect(open.safety.data_files).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('master.key'),
    });
  } finally {
    await world.stop();
  }
});

it('(NX-11) the screen makes every check that the command makes, in its order', async () => {
  const world = await startWireWorld({});
  try {
    const shown = async () => {
      const { lastRun } = await world.gate.admin<CheckupView>('POST', '/api/security/checkup', {});
      return lastRun?.safety ?? [];
    };
    const asked = async (args: string[]): Promise<CheckResult[]> => {
      const terminal = recordingTerminal({});
      await runCli(['security-check', '--json', ...args, '--data-dir', world.gate.dataDir], terminal);
      return JSON.parse(terminal.written.out).checks;
    };
    const ids = (checks: readonly CheckResult[]) => checks.map(({ id }) => id);
    const before = await shown();
    const command = await asked(['--offline']);
    expect(ids(before)).toEqual([...ids(command), 'dependencies']);
    const by = (checks: readonly CheckResult[], id: string) => checks.find((check) => check.id === id);
    expect(by(before, 'browser_policy')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('in force'),
    });
    expect(by(before, 'dependencies')).toMatchObject({ status: 'warn', command: 'tallygate security-check' });
    const found = { status: 'ok', message: 'The registry knows of none.', fix: null };
    await world.gate.admin('POST', '/api/security/dependencies', found);
    expect(by(await shown(), 'dependencies')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^The registry knows of none\. Looked up on \d{4}-\d\d-\d\d\.$/),
    });
  } finally {
    await world.stop();
  }
});

it('(NX-11) a settings file that others can change is found by the server that was started with it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tg-'));
  const file = join(dir, 'tallygate.toml');
  await writeFile(file, 'log_level = "warn"\n', { mode: 0o600 });
  const dataDir = join(dir, 'data');
  const gate = await startGateProcess({ dataDir, env: { TALLYGATE_CONFIG: file } });
  try {
    const check = async () => {
      const ask = { method: 'POST', path: '/api/security/checkup', body: {} } as const;
      const { json } = await controlRequest(dataDir, ask);
      return (json as CheckupView).lastRun?.safety.find(({ id }) => id === 'settings_file');
    };
    expect(await check()).toMatchObject({ status: 'ok', message: expect.stringContaining(file) });
    await chmod(file, 0o622);
    expect(await check()).toMatchObject({ status: 'fail', command: `chmod go-w '${file}'` });
  } finally {
    process.kill(gate.pid, 'SIGTERM');
    await gate.exited;
    await rm(dir, { recursive: true, force: true });
  }
});

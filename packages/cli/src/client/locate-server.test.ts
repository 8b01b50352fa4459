import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveSettings } from '../config/settings.ts';
import type { GlobalOptions } from '../context.ts';
import { localSocket, namedServer } from './locate-server.ts';

const GLOBALS: GlobalOptions = {
  dataDir: undefined,
  configFile: undefined,
  server: undefined,
  adminKeyEnv: undefined,
  workspace: undefined,
  json: false,
  color: true,
  settings: {},
};
const uid = process.getuid?.() ?? null;
let dataDir: string;
let server: Server | null = null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(async () => {
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = null;
  await rm(dataDir, { recursive: true, force: true });
});

const settingsOf = (dir: string) =>
  resolveSettings(recordingTerminal({ cwd: dir }), { ...GLOBALS, dataDir: dir });

async function listen(path: string) {
  server = createServer();
  await new Promise<void>((resolve) => server?.listen(path, resolve));
}

/** A socket file whose process is gone, as `kill -9` leaves it. */
async function staleSocket(path: string) {
  const { spawnSync } = await import('node:child_process');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
}

describe('localSocket', () => {
  it('is null without a data directory, and makes none', async () => {
    const missing = settingsOf(join(dataDir, 'nothing'));
    expect(await localSocket(missing, uid)).toBeNull();
  });

  it('finds the server that listens', async () => {
    const settings = settingsOf(dataDir);
    await mkdir(settings.paths.controlDir, { mode: 0o700 });
    await listen(settings.paths.controlSocket);
    expect(await localSocket(settings, uid)).toBe(settings.paths.controlSocket);
  });

  it('passes over the socket of a server that was killed', async () => {
    const settings = settingsOf(dataDir);
    await mkdir(settings.paths.controlDir, { mode: 0o700 });
    await staleSocket(settings.paths.controlSocket);
    expect(await localSocket(settings, uid)).toBeNull();
  });

  it('passes over a file that is no socket', async () => {
    const settings = settingsOf(dataDir);
    await mkdir(settings.paths.controlDir, { mode: 0o700 });
    await writeFile(settings.paths.controlSocket, '');
    expect(await localSocket(settings, uid)).toBeNull();
  });

  it('trusts no folder that others may enter', async () => {
    const settings = settingsOf(dataDir);
    await mkdir(settings.paths.controlDir);
    await chmod(settings.paths.controlDir, 0o755);
    await listen(settings.paths.controlSocket);
    await expect(localSocket(settings, uid)).rejects.toMatchObject({ code: 'control_socket_untrusted' });
  });

  it('trusts no folder of another user', async () => {
    const settings = settingsOf(dataDir);
    await mkdir(settings.paths.controlDir, { mode: 0o700 });
    await listen(settings.paths.controlSocket);
    await expect(localSocket(settings, (uid ?? 0) + 1)).rejects.toMatchObject({
      code: 'control_socket_untrusted',
    });
  });

  it('trusts no link in place of the folder', async () => {
    const settings = settingsOf(dataDir);
    const elsewhere = join(dataDir, 'elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    await symlink(elsewhere, settings.paths.controlDir);
    await listen(settings.paths.controlSocket);
    await expect(localSocket(settings, uid)).rejects.toMatchObject({ code: 'control_socket_untrusted' });
  });
});

describe('namedServer', () => {
  const named = (server: string | undefined, env: Record<string, string> = {}) =>
    namedServer(recordingTerminal({ env }), { ...GLOBALS, server })?.href ?? null;

  it.each([
    ['https://gate.example.com', 'https://gate.example.com/'],
    ['https://gate.example.com/tally/?x=1#y', 'https://gate.example.com/tally/'],
    ['http://127.0.0.1:4100', 'http://127.0.0.1:4100/'],
    ['http://localhost:4100', 'http://localhost:4100/'],
    ['http://[::1]:4100', 'http://[::1]:4100/'],
  ])('takes %s', (text, href) => expect(named(text)).toBe(href));

  it.each([
    'http://gate.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'http://[::ffff:10.0.0.1]',
  ])('refuses %s: the key would cross the network readable', (text) => {
    expect(() => named(text)).toThrow('takes an https URL');
  });

  it('falls back to the variable; an empty one says nothing', () => {
    expect(named(undefined, { TALLYGATE_SERVER: 'https://a.example.com' })).toBe('https://a.example.com/');
    expect(named('https://b.example.com', { TALLYGATE_SERVER: 'https://a.example.com' })).toBe(
      'https://b.example.com/',
    );
    expect(named(undefined, { TALLYGATE_SERVER: '' })).toBeNull();
  });
});

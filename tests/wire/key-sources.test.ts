import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlRequest, type GateProcess, startGateProcess } from '@tallygate/testkit/gate-process';
import {
  createSoftToken,
  IN_KEYCHAIN_SESSION,
  secretServiceFound,
  softHsmModule,
} from '@tallygate/testkit/key-sources';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CREDENTIAL = ['sk-ant', 'canary', '3Kd8Vn2QpXw7RtYb5LzM9c'].join('-');
const ACCOUNT = { provider: 'anthropic', name: 'main', apiKey: CREDENTIAL };
const module = softHsmModule();

let dir: string;
let dataDir: string;
let running: GateProcess | null = null;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tallygate-keys-'));
  dataDir = join(dir, 'data');
});
afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  const pidFile = join(dir, 'command.pid');
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : running?.pid;
  rmSync(pidFile, { force: true });
  if (pid !== undefined) process.kill(pid, 'SIGTERM');
  await running?.exited;
  running = null;
}

async function start(env: Record<string, string>, prefix: readonly string[] = []): Promise<GateProcess> {
  await stop();
  running = await startGateProcess({ dataDir, env, prefix });
  return running;
}

async function vaultStatus(): Promise<{
  masterKey: { id: string; source: string };
  dataKeys: { values: number }[];
}> {
  const { status, json } = await controlRequest(dataDir, { method: 'GET', path: '/api/vault' });
  expect(status).toBe(200);
  return json as Awaited<ReturnType<typeof vaultStatus>>;
}

async function addAccount(): Promise<void> {
  expect(
    (await controlRequest(dataDir, { method: 'POST', path: '/api/accounts', body: ACCOUNT })).status,
  ).toBe(201);
}

/** Everything the installation wrote. */
async function written(): Promise<string> {
  const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')),
  );
  return texts.join('\n');
}

describe.skipIf(module === null)('the master key on a token (CF-13)', { timeout: 180_000 }, () => {
  it('locks a new installation, survives a rotation and a restart, and refuses the wrong PIN', async () => {
    const token = createSoftToken(module ?? '', dir);
    const env = {
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF ?? '',
      TALLYGATE_MASTER_KEY_SOURCE: 'pkcs11',
      TALLYGATE_PKCS11_MODULE: token.module,
      TALLYGATE_PKCS11_TOKEN: token.token,
      TALLYGATE_PKCS11_KEY: token.key,
      TALLYGATE_PKCS11_PIN: token.pin,
    };
    const first = await start(env);
    await addAccount();
    expect((await vaultStatus()).masterKey.source).toBe('pkcs11');
    const rotated = await controlRequest(dataDir, {
      method: 'POST',
      path: '/api/vault/rotate-master-key',
      body: {},
    });
    expect(rotated.status).toBe(200);
    const second = await start(env);
    const { masterKey, dataKeys } = await vaultStatus();
    expect(rotated.json).toMatchObject({ keyId: masterKey.id, restartNeeded: false });
    expect(dataKeys.reduce((sum, key) => sum + key.values, 0)).toBeGreaterThan(0);
    await stop();
    expect(await readdir(dataDir)).not.toContain('master.key');
    const seen = [await written(), first.output(), second.output()].join('\n');
    for (const secret of [CREDENTIAL, token.pin]) expect(seen).not.toContain(secret);

    const refused = await start({ ...env, TALLYGATE_PKCS11_PIN: '0000-wrong' }).catch(
      (error: Error) => error,
    );
    expect(String(refused)).toContain('CKR_PIN_INCORRECT');
    expect(String(refused)).not.toContain('0000-wrong');
    const unlocked = { TALLYGATE_MASTER_KEY_SOURCE: 'file' };
    await expect(start(unlocked)).rejects.toThrow(new RegExp(`need key ${masterKey.id}`));
  });
});

describe.skipIf(!secretServiceFound())('the master key in the keychain (CF-13)', { timeout: 180_000 }, () => {
  it('takes over the key of a file, works from the keychain alone, and says what is missing without it', async () => {
    await start({});
    await addAccount();
    const before = (await vaultStatus()).masterKey.id;
    const env = { TALLYGATE_MASTER_KEY_SOURCE: 'keychain', HOME: dir };
    const first = await start(env, IN_KEYCHAIN_SESSION);
    expect((await vaultStatus()).masterKey).toEqual({ id: before, source: 'keychain' });
    expect(first.output()).toContain('locked by the keychain of this account');
    await stop();
    await rm(join(dataDir, 'master.key'));
    await start(env, IN_KEYCHAIN_SESSION);
    expect((await vaultStatus()).masterKey).toEqual({ id: before, source: 'keychain' });
    await stop();
    await expect(start(env)).rejects.toThrow(/keychain of this account cannot be used/);
    const stranger = join(dir, 'stranger');
    await mkdir(stranger);
    await expect(start({ ...env, HOME: stranger }, IN_KEYCHAIN_SESSION)).rejects.toThrow(
      /has no entry "master key/,
    );
  });
});

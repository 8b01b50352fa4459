import {
  type AdminWorld,
  MASTER_KEY,
  OWNER,
  type SignedIn,
  startAdminWorld,
} from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../kernel/secret.ts';
import { openKeyring } from '../../vault/open-keyring.ts';

const CREDENTIAL = 'sk-ant-vault-7Qx2Wm9LpRtVbN4KsD8fGh';
let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  const body = { provider: 'anthropic', name: 'main', apiKey: CREDENTIAL };
  await world.call('/api/accounts', { local: true, body });
});
afterEach(() => world.close());

const post = (path: string, body: unknown = {}) => world.call(path, { local: true, method: 'POST', body });
const credential = async () => {
  const [row] = await world.deps.store.config.listAccounts(null);
  const at = { table: 'account', row: row?.id ?? '', column: 'credential' };
  return world.deps.vault.open(row?.sealedCredential ?? '', at).reveal();
};

describe('the vault (CF-13)', () => {
  it('shows ids and counts, and nothing of any key', async () => {
    const { status, json, text } = await world.call('/api/vault', { local: true });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      masterKey: { id: expect.stringMatching(/^[0-9a-f]{16}$/), source: 'environment' },
      nextMasterKeyId: null,
      dataKeys: [{ createdAt: '2026-11-22T12:00:00.000Z', active: true, values: 2 }],
      otherValues: 0,
      job: null,
    });
    expect(text).not.toContain(MASTER_KEY);
    expect(text).not.toContain(Buffer.from(MASTER_KEY, 'base64').toString('hex'));
  });

  it('rotates the data key; the credential opens before and after', async () => {
    const { status, json } = await post('/api/vault/rotate-data-key');
    expect([status, json.resealed]).toEqual([200, 2]);
    const [account] = await world.deps.store.config.listAccounts(null);
    expect(account?.sealedCredential).toContain(`tgv2.${json.keyId}.`);
    expect(await credential()).toBe(CREDENTIAL);
  });

  it('asks for the new master key where it comes from the environment, and takes no odd one', async () => {
    expect((await post('/api/vault/rotate-master-key')).status).toBe(400);
    const odd = await post('/api/vault/rotate-master-key', { newKey: 'short' });
    expect([odd.status, odd.json.error?.details?.[0]?.path]).toEqual([400, 'newKey']);
    const newKey = Buffer.alloc(32, 9).toString('base64');
    const { status, json, text } = await post('/api/vault/rotate-master-key', { newKey });
    expect([status, json.restartNeeded]).toEqual([200, true]);
    expect(text).not.toContain(newKey);
    expect((await world.call('/api/vault', { local: true })).json.nextMasterKeyId).toBe(json.keyId);
    expect((await post('/api/vault/rotate-data-key')).status).toBe(409);
    expect(await credential()).toBe(CREDENTIAL);
  });
});

describe('the master key, changed by a person (CF-13)', () => {
  let owner: SignedIn;
  beforeEach(async () => {
    owner = await world.setUp();
  });
  const password = OWNER.password;
  const ask = (what: 'change' | 'give-up', body: object, headers: Record<string, string> = {}) =>
    world.call(`/api/vault/${what}-master-key`, { body, headers: { ...owner.headers, ...headers } });
  const pending = async () => (await world.deps.keeper.status()).nextMasterKeyId;
  const audited = async () =>
    (await world.deps.store.audit.list({ workspaceId: null }, { limit: 100, beforeSeq: null })).map(
      ({ action, outcome, errorCode, changes }) => ({ action, outcome, errorCode, changes }),
    );
  /** A server that is started with this key over the same store. */
  const startWith = (masterKey: string) =>
    openKeyring({
      storage: world.deps.store.vault,
      settings: world.deps.store.config,
      path: 'none',
      fromEnvironment: new Secret(masterKey),
      nowMs: world.clock.ms,
      randomBytes: world.deps.randomBytes as (size: number) => Buffer,
    });

  it('makes the key for the environment, shows it this once, and it opens everything after a start with it', async () => {
    const { status, json } = await ask('change', { password });
    const newKey = String(json.newKey);
    expect([status, json.restartNeeded, Buffer.from(newKey, 'base64').length]).toEqual([200, true, 32]);
    expect(await pending()).toBe(json.keyId);
    expect(await credential()).toBe(CREDENTIAL);
    const entries = await audited();
    expect(entries[0]).toMatchObject({
      action: 'POST /api/vault/change-master-key',
      outcome: 'ok',
      changes: [{ field: 'id', before: json.previousKeyId, after: json.keyId }],
    });
    const kept = [JSON.stringify(entries), ...world.logs].join('\n');
    for (const form of [newKey, Buffer.from(newKey, 'base64').toString('hex')])
      expect(kept).not.toContain(form);
    expect((await startWith(newKey)).notices).toEqual([expect.stringContaining('is in force')]);
    await expect(startWith(MASTER_KEY)).rejects.toThrow(String(json.keyId));
  });

  it('wants the password, counts wrong ones, and changes nothing without', async () => {
    expect((await ask('change', {})).json.error?.code).toBe('invalid_request');
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) {
      const { json } = await ask('change', { password: `wrong but long enough ${i}` });
      codes.push(String(json.error?.code));
    }
    expect(codes[0]).toBe('invalid_credentials');
    expect(codes.at(-1)).toBe('login_throttled');
    expect(await pending()).toBeNull();
    expect(JSON.stringify(await audited())).not.toContain('wrong but long');
  });

  it.each([
    ['a page that came over plain HTTP', { host: 'gate.example:4100', origin: 'http://gate.example:4100' }],
    ['no page at all, under a name that is not this machine', { host: 'gate.example:4100' }],
  ])('shows no key over a link that can be read: %s', async (_what, headers) => {
    await world.close();
    world = await startAdminWorld(await openTestStore(), {
      hosts: { namesOnly: true, allowedHosts: ['gate.example'] },
    });
    owner = await world.setUp();
    const { status, json } = await ask('change', { password }, headers);
    expect([status, json.error?.code]).toEqual([403, 'tls_required']);
    expect(await pending()).toBeNull();
  });

  it('shows it to a page that a proxy on this machine serves over https', async () => {
    await world.close();
    world = await startAdminWorld(await openTestStore(), {
      hosts: { namesOnly: true, allowedHosts: ['gate.example'] },
    });
    owner = await world.setUp();
    const https = { host: 'gate.example', origin: 'https://gate.example' };
    expect((await ask('change', { password }, https)).status).toBe(200);
  });

  it('makes no second key while one waits; it can be taken back, and the present one stays', async () => {
    expect((await ask('give-up', { password })).json.error?.code).toBe('conflict');
    const first = (await ask('change', { password })).json;
    const again = await ask('change', { password });
    expect([again.status, again.json.error?.code]).toEqual([409, 'conflict']);
    expect(again.json.error?.message).toContain(String(first.keyId));
    expect((await ask('give-up', { password: 'some other password' })).json.error?.code).toBe(
      'invalid_credentials',
    );
    expect(await pending()).toBe(first.keyId);
    expect(await ask('give-up', { password })).toMatchObject({ status: 200, json: { keyId: first.keyId } });
    expect(await pending()).toBeNull();
    await expect(startWith(String(first.newKey))).rejects.toThrow(/does not open/);
    expect((await startWith(MASTER_KEY)).notices).toEqual([]);
    expect((await post('/api/vault/rotate-data-key')).status).toBe(200);
    expect((await ask('change', { password })).status).toBe(200);
  });

  it('is for people who run the installation: no key, no admin, and no page of another site', async () => {
    const { key } = await world.makeKey(['admin']);
    const headers = { authorization: `Bearer ${key}` };
    const byKey = await world.call('/api/vault/change-master-key', { body: { password }, headers });
    expect([byKey.status, byKey.json.error?.code]).toEqual([403, 'permission_denied']);
    const admin = await world.join('admin', 'ada');
    const byAdmin = await ask('change', { password }, admin.headers);
    expect([byAdmin.status, byAdmin.json.error?.code]).toEqual([403, 'permission_denied']);
    const forged = await ask('change', { password }, { 'x-csrf-token': 'A'.repeat(43) });
    expect(forged.json.error?.code).toBe('csrf_failed');
    expect(await pending()).toBeNull();
  });
});

import { type AdminWorld, MASTER_KEY, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

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

import type { AccountView } from '@tallygate/contract/api/accounts';
import type { VaultView } from '@tallygate/contract/api/vault';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TIMEOUT_MS = 300_000;
const ACCOUNTS = 60;
const credentialOf = (index: number): string =>
  `sk-ant-kill-${String(index).padStart(4, '0')}-${'x'.repeat(20)}`;

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
  for (let index = 0; index < ACCOUNTS; index++) {
    await world.gate.addAccount({
      provider: 'anthropic',
      name: `a${index}`,
      baseUrl: world.anthropic.url,
      apiKey: credentialOf(index),
      models: [`model-${index}`],
    });
  }
}, TIMEOUT_MS);
afterAll(() => world?.stop());

const vault = () => world.gate.admin<VaultView>('GET', '/api/vault');

/** Starts a rotation and kills the process once about so many values have been sealed anew. */
async function killInside(path: string, afterValues: number): Promise<void> {
  const rotation = world.gate.adminRequest('POST', path, {}).catch(() => null);
  for (let over = false; !over; ) {
    const { job } = await vault();
    over = job === null || job.done >= afterValues;
  }
  await world.gate.kill9();
  await rotation;
  await world.gate.restart();
}

/** Every credential arrives upstream as it was given. */
async function expectEveryCredential(): Promise<void> {
  for (let index = 0; index < ACCOUNTS; index += 7) {
    world.anthropic.clear();
    const { status } = await world.messages({ ...MESSAGES_BODY, model: `model-${index}` }).answer;
    expect(status).toBe(200);
    expect(world.anthropic.requests[0]?.value('x-api-key')).toBe(credentialOf(index));
  }
}

describe('kill -9 inside a rotation (CF-13)', () => {
  it('of the data key: the next start finishes it, and every credential still works', {
    timeout: TIMEOUT_MS,
  }, async () => {
    for (const afterValues of [0, 10, 40]) {
      const before = await vault();
      await killInside('/api/vault/rotate-data-key', afterValues);
      const { dataKeys, otherValues, job } = await vault();
      const active = dataKeys.find((key) => key.active);
      expect(active?.values).toBe(ACCOUNTS + 3); // two accounts of the world and the check value
      expect([otherValues, job]).toEqual([0, null]);
      expect(dataKeys.length).toBeGreaterThanOrEqual(before.dataKeys.length);
      await expectEveryCredential();
    }
  });

  it('of the master key: either key is whole, and repeating it finishes', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const before = await vault();
    await killInside('/api/vault/rotate-master-key', 0);
    await expectEveryCredential();
    const after = await vault();
    if (after.masterKey.id === before.masterKey.id)
      await world.gate.admin('POST', '/api/vault/rotate-master-key', {});
    const done = await vault();
    expect(done.masterKey.id).not.toBe(before.masterKey.id);
    expect(done.nextMasterKeyId).toBeNull();
    await world.gate.kill9();
    await world.gate.restart();
    await expectEveryCredential();
    expect(await world.gate.admin<{ accounts: AccountView[] }>('GET', '/api/accounts')).toMatchObject({
      accounts: expect.objectContaining({ length: ACCOUNTS + 2 }),
    });
  });
});

describe('rotating while requests run (CF-13)', () => {
  it('no request fails, and none goes out with a wrong credential', { timeout: TIMEOUT_MS }, async () => {
    world.anthropic.clear();
    let over = false;
    const rotations = (async () => {
      await world.gate.admin('POST', '/api/vault/rotate-data-key', {});
      await world.gate.admin('POST', '/api/vault/rotate-master-key', {});
    })().finally(() => {
      over = true;
    });
    const statuses: number[] = [];
    do {
      const { status } = await world.messages({ ...MESSAGES_BODY, model: 'model-5' }).answer;
      statuses.push(status);
      await world.gate.admin('PATCH', `/api/accounts/${world.gate.accounts[2]?.id}`, { priority: 50 });
    } while (!over);
    await rotations;
    expect(new Set(statuses)).toEqual(new Set([200]));
    const sent = new Set(world.anthropic.requests.map((request) => request.value('x-api-key')));
    expect(sent).toEqual(new Set([credentialOf(5)]));
  });
});

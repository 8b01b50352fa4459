import { randomBytes } from 'node:crypto';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openUserHash } from './user-hash.ts';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

it('(TW-12) the root is made once, also by several nodes at once, sealed, and rotation of the vault reaches it', async () => {
  const { store, vault, keeper } = world.deps;
  const parts = { store, vault, randomBytes };
  const hashes = (await Promise.all([1, 2, 3].map(() => openUserHash(parts)))).map(({ stored }) =>
    stored('ada'),
  );
  expect(new Set(hashes).size).toBe(1);
  const sealed = (await store.vault.listSealed()).find(({ at }) => at.row === 'user_hash_root');
  expect(sealed?.text).toMatch(/^tgv2\./);
  await keeper.rotateDataKey();
  const after = (await store.vault.listSealed()).find(({ at }) => at.row === 'user_hash_root');
  expect(after?.text).not.toBe(sealed?.text);
  expect((await openUserHash(parts)).stored('ada')).toBe(hashes[0]);
});

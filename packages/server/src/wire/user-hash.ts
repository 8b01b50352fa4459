import { createUserHash, USER_HASH_ROOT_BYTES, type UserHash } from '../identity/user-hash.ts';
import { Secret } from '../kernel/secret.ts';
import { USER_HASH_SETTING } from '../store/ports/vault.ts';
import type { Store } from '../store/store.ts';
import type { SealContext, Vault } from '../vault/vault.ts';

const CONTEXT: SealContext = { table: 'setting', row: USER_HASH_SETTING, column: 'value' };

/** The hash of this installation. The value behind it is made when it is first needed, once for all nodes. */
export async function openUserHash(parts: {
  store: Pick<Store, 'config'>;
  vault: Vault;
  randomBytes(size: number): Uint8Array;
}): Promise<UserHash> {
  const { config } = parts.store;
  const known = await config.getSetting(USER_HASH_SETTING);
  const sealed = known ?? (await config.ensureSetting(USER_HASH_SETTING, fresh(parts)));
  return createUserHash(Buffer.from(parts.vault.open(sealed, CONTEXT).reveal(), 'base64'));
}

function fresh(parts: { vault: Vault; randomBytes(size: number): Uint8Array }): string {
  const root = Buffer.from(parts.randomBytes(USER_HASH_ROOT_BYTES)).toString('base64');
  return parts.vault.seal(new Secret(root), CONTEXT);
}

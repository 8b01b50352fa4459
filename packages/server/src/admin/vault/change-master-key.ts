import type { MasterKeyChange } from '@tallygate/contract/api/vault';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import type { AdminContext } from '../admin-deps.ts';
import type { RawCall } from '../route.ts';
import { assertUnreadable } from './unreadable-link.ts';

const MASTER_KEY_BYTES = 32;

/**
 * Changes the master key for somebody in front of a browser. Where it is a file, the server makes another one and
 * nothing secret travels. Where it comes from the environment, somebody has to put the new one there: it is made here,
 * at random, and shown once, over a link that nobody can read along. No key is ever taken from a browser.
 * @param prove asks for proof that it is them; called once nothing else stands against it
 * @throws AppError `tls_required`, `conflict`, or what `prove` refuses with
 */
export async function changeMasterKey(
  { keeper, randomBytes }: Pick<AdminContext, 'keeper' | 'randomBytes'>,
  { site, origin, audit }: Pick<RawCall, 'site' | 'origin' | 'audit'>,
  prove: () => Promise<void>,
): Promise<MasterKeyChange> {
  const { masterKey, nextMasterKeyId } = await keeper.status();
  const shown = masterKey.source === 'environment';
  if (shown) assertUnreadable(site, origin.address);
  // A second key would silently make the first one worthless, which may be in somebody's configuration by now.
  if (shown && nextMasterKeyId !== null) {
    throw new AppError('conflict', {
      detail: `A change to the master key ${nextMasterKeyId} waits for a restart. Finish it, or give it up first.`,
    });
  }
  await prove();
  const fresh = shown ? new Secret(Buffer.from(randomBytes(MASTER_KEY_BYTES)).toString('base64')) : null;
  const done = await keeper.rotateMasterKey(fresh);
  audit.changed('master_key', done.keyId, { before: { id: done.previousKeyId }, after: { id: done.keyId } });
  return { ...done, newKey: fresh?.reveal() ?? null };
}

import type { Secret } from '../kernel/secret.ts';
import type { Store } from '../store/store.ts';
import { hmacHex, sameHash } from './token.ts';

const CHECK_SETTING = 'session_secret_check';
const NO_SECRET = 'none';

/**
 * Ends every session when DASHBOARD_SESSION_SECRET is another one than at the last start (TW-02): their stored
 * hashes could not be found any more, and nobody should see them listed. The secret itself is not stored.
 * @returns true when sessions were ended
 */
export async function settleSessionSecret(
  store: Pick<Store, 'config' | 'people'>,
  secret: Secret | null,
): Promise<boolean> {
  const check = secret === null ? NO_SECRET : hmacHex(secret.reveal(), 'tallygate session secret 1');
  const known = (await store.config.getSetting(CHECK_SETTING)) ?? NO_SECRET;
  if (sameHash(known, check)) return false;
  await store.people.endAllSessions();
  await store.config.setSetting(CHECK_SETTING, check);
  return true;
}

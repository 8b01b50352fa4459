import { Secret } from '../kernel/secret.ts';
import type { Keyring } from './keyring.ts';
import { parseSealed } from './sealer.ts';
import type { SealedValue, VaultStorage } from './vault-storage.ts';

/** Values that people change meanwhile are left to the next pass; more passes than this mean that something is wrong. */
const MAX_PASSES = 20;

export interface ResealProgress {
  done: number;
  total: number;
}
export interface Resealed {
  /** Values that were sealed with another key before. */
  resealed: number;
  /** Values that were found readable. */
  plaintext: number;
}

type Change = 'resealed' | 'plaintext' | 'changed';

async function resealOne(keyring: Keyring, storage: VaultStorage, value: SealedValue): Promise<Change> {
  const readable = parseSealed(value.text) === null && !value.text.startsWith('tgv');
  const secret = readable ? new Secret(value.text) : keyring.open(value.text, value.at);
  const sealed = keyring.seal(secret, value.at);
  // What cannot be opened again must not take the place of what can.
  if (keyring.open(sealed, value.at).reveal() !== secret.reveal()) throw new Error('sealing did not work');
  if (!(await storage.replaceSealed(value, sealed))) return 'changed';
  return readable ? 'plaintext' : 'resealed';
}

/**
 * Seals every value with the newest data key, one at a time; each is replaced only while it still is what was
 * read. Every value opens before, during and after, and a run that was cut off is finished by the next one.
 * @throws Error when a value does not open
 */
export async function resealAll(
  keyring: Keyring,
  storage: VaultStorage,
  onProgress: (progress: ResealProgress) => void = () => undefined,
): Promise<Resealed> {
  const counts: Record<Change, number> = { resealed: 0, plaintext: 0, changed: 0 };
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const stale = (await storage.listSealed()).filter((value) => !keyring.isCurrent(value.text));
    if (stale.length === 0) return { resealed: counts.resealed, plaintext: counts.plaintext };
    for (const [index, value] of stale.entries()) {
      onProgress({ done: index, total: stale.length });
      counts[await resealOne(keyring, storage, value)]++;
    }
    onProgress({ done: stale.length, total: stale.length });
  }
  throw new Error('the sealed values keep changing; try again when fewer changes are made');
}

import type { ImportedKey, ImportRequest } from '@tallygate/contract/api/imports';
import { sha256Hex } from '../../identity/token.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { ensureProject } from '../projects/project-access.ts';
import { emptyTally, type ImportTally } from './import-tally.ts';
import { importedId } from './imported-id.ts';

/** Shorter ones are guessed. */
const MIN_KEY_CHARS = 20;
const PREFIX_CHARS = 10;

/** Takes over the keys of clients: they go on working, and only their hashes are stored. */
export async function importKeys(
  deps: AdminDeps,
  keys: readonly ImportedKey[],
  { source, dryRun, workspaceId }: { source: ImportRequest['source']; dryRun: boolean; workspaceId: string },
): Promise<ImportTally> {
  const tally = emptyTally();
  // A key is one for the whole installation.
  const known = await deps.store.config.listKeys(null);
  const hashes = new Set(known.map((row) => row.keyHash));
  const ids = new Set(known.map((row) => row.id));
  for (const { ref, name, key, project } of keys) {
    const keyHash = sha256Hex(key);
    const id = importedId({ source, workspaceId }, 'key', ref);
    if (hashes.has(keyHash) || ids.has(id)) {
      tally.present += 1;
      continue;
    }
    if (!/^[\x21-\x7e]{1,512}$/.test(key) || key.length < MIN_KEY_CHARS) {
      tally.skipped.push({
        ref,
        reason: `its key has fewer than ${MIN_KEY_CHARS} characters, or others than ASCII`,
      });
      continue;
    }
    if (!dryRun) {
      const { id: projectId } = await ensureProject(deps, workspaceId, project);
      await deps.store.config.insertKey({
        id,
        workspaceId,
        projectId,
        userId: null,
        name,
        prefix: key.slice(0, PREFIX_CHARS),
        keyHash,
        scopes: ['gateway'],
        createdAtMs: deps.clock.now(),
        expiresAtMs: null,
        revokedAtMs: null,
        lastUsedAtMs: null,
        kind: 'issued',
        restrictions: null,
        rotatedAtMs: null,
        previous: null,
      });
    }
    hashes.add(keyHash);
    tally.added += 1;
  }
  return tally;
}

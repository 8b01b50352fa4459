import { link, rename } from 'node:fs/promises';
import { syncFolder } from './master-key.ts';

/** Where the key that is to come lies until it takes the place of the present one. */
export const nextKeyPath = (path: string): string => `${path}.next`;

/** The file that a replaced key is kept in: backups made before still need it. */
const previousKeyPath = (path: string, keyId: string): string => `${path}.${keyId}`;

/**
 * Puts the next key in the place of the present one, which is kept beside it. There is a whole key at `path` at
 * every moment.
 * @returns where the previous key is now
 */
export async function publishNextKey(path: string, presentKeyId: string): Promise<string> {
  const kept = previousKeyPath(path, presentKeyId);
  await link(path, kept).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error; // kept by an attempt that was cut off here
  });
  await rename(nextKeyPath(path), path);
  await syncFolder(path);
  return kept;
}

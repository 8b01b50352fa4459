import { link, rename } from 'node:fs/promises';
import { AppError } from '../kernel/errors.ts';
import { MasterKeyError, syncFolder } from './master-key.ts';

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

/** What the file system says when the place of the key is not ours to write, or full. */
const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EBUSY', 'EXDEV']);

/** What is wrong with the key's file, or with what locks it, is for the operator to mend: they are told what it is. */
export function asKeyProblem(error: unknown): unknown {
  if (error instanceof MasterKeyError)
    return new AppError('conflict', { detail: error.message, cause: error });
  const { code = '', path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (!NOT_WRITABLE.has(code) || path === undefined) return error;
  return new AppError('conflict', {
    detail: `${path} cannot be written (${code}), so the file of the master key cannot be changed from here. The present key stays in force.`,
    cause: error,
  });
}

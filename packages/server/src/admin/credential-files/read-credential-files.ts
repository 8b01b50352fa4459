import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CredentialFile,
  credentialDomain,
  parseCredentialFile,
} from '@tallygate/contract/credential-file';

const MAX_FILE_BYTES = 64 * 1024;
const MAX_FILES = 1_000;
/** Anything for group or others. */
const TOO_OPEN = 0o077;

/** One domain's file, as it was found. */
export type FoundFile =
  | { domain: string; path: string; text: string; file: CredentialFile; problem: null }
  | { domain: string; path: string; file: null; problem: string };

/** The folder cannot be used as a whole. The message says what to do. */
export class CredentialFolderError extends Error {
  override readonly name = 'CredentialFolderError';
}

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w./:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

async function readOpened(handle: FileHandle, path: string): Promise<string | { problem: string }> {
  const { mode, size } = await handle.stat();
  if ((mode & 0o170000) !== 0o100000) return { problem: `${path} is not a file` };
  if ((mode & TOO_OPEN) !== 0) {
    return {
      problem: `${path} can be read or written by others than its owner. Run: chmod 600 ${quoted(path)}`,
    };
  }
  if (size > MAX_FILE_BYTES) return { problem: `${path} is larger than ${MAX_FILE_BYTES} bytes` };
  return handle.readFile('utf8');
}

async function readOne(path: string, domain: string): Promise<FoundFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    return { domain, path, file: null, problem: `${path} cannot be read (${code})` };
  }
  try {
    const text = await readOpened(handle, path);
    if (typeof text !== 'string') return { domain, path, file: null, problem: text.problem };
    const parsed = parseCredentialFile(text);
    return 'problem' in parsed
      ? { domain, path, file: null, problem: `${path} ${parsed.problem}` }
      : { domain, path, text, file: parsed.file, problem: null };
  } finally {
    await handle.close();
  }
}

async function namesIn(dir: string): Promise<string[]> {
  let mode: number;
  let names: string[];
  try {
    ({ mode } = await stat(dir));
    names = await readdir(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new CredentialFolderError(
      `The folder of credential files ${dir} cannot be read (${code}). Make it with: mkdir -m 700 ${quoted(dir)}`,
    );
  }
  if ((mode & TOO_OPEN) !== 0) {
    throw new CredentialFolderError(
      `The folder of credential files ${dir} is open to others than its owner. Run: chmod 700 ${quoted(dir)}`,
    );
  }
  const files = names.filter((name) => credentialDomain(name) !== null).sort();
  if (files.length > MAX_FILES)
    throw new CredentialFolderError(`${dir} has more than ${MAX_FILES} credential files.`);
  return files;
}

/**
 * Reads every credential file of the folder. What others than the owner may read is refused, with the command that
 * helps (NX-04): whoever could read it has the credential already.
 * @throws CredentialFolderError when the folder as a whole cannot be used
 */
export async function readCredentialFiles(dir: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const name of await namesIn(dir))
    found.push(await readOne(join(dir, name), credentialDomain(name) ?? ''));
  return found;
}

/** Changes whenever a file does; the folder's own troubles are part of it. */
export async function fingerprintOf(dir: string): Promise<string> {
  try {
    const names = await namesIn(dir);
    const stats = await Promise.all(
      names.map((name) => stat(join(dir, name), { bigint: true }).catch(() => null)),
    );
    return names
      .map((name, i) => {
        const found = stats[i] ?? null;
        return found === null ? name : `${name} ${found.ino} ${found.mtimeNs} ${found.size} ${found.mode}`;
      })
      .join('\n');
  } catch (error) {
    return error instanceof Error ? error.message : 'unreadable';
  }
}

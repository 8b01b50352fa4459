import {
  chmodSync,
  closeSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, statfs, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What the writer asks of the file system; injected so that tests can fill the disk. */
export interface JournalFiles {
  /** Creates the directory, for its owner only. */
  makeDirectory(dir: string): void;
  list(dir: string): string[];
  size(path: string): number;
  /** Creates a file for its owner only. Throws when it exists. */
  create(path: string): number;
  /** May write fewer bytes than asked. */
  write(file: number, bytes: Buffer, range: { start: number; length: number; position: number }): number;
  /** Off the event loop. */
  dataSync(file: number): Promise<void>;
  /** Makes created and removed names of the directory durable. Off the event loop. */
  syncDirectory(dir: string): Promise<void>;
  close(file: number): void;
  remove(path: string): void;
  /** Off the event loop: unlinking a large file takes milliseconds. */
  removeLater(path: string): Promise<void>;
  /** Bytes that an unprivileged process may still write. */
  freeBytes(dir: string): Promise<number>;
}

const dataSync = promisify(fdatasync);
const syncFile = promisify(fsync);

async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory for syncing; its file systems journal names themselves.
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await syncFile(handle.fd);
  } finally {
    await handle.close();
  }
}

export const systemJournalFiles: JournalFiles = {
  makeDirectory(dir) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
  },
  list: (dir) => readdirSync(dir),
  size: (path) => statSync(path).size,
  create: (path) => openSync(path, 'wx', 0o600),
  write: (file, bytes, { start, length, position }) => writeSync(file, bytes, start, length, position),
  dataSync,
  syncDirectory,
  close: (file) => closeSync(file),
  remove: (path) => unlinkSync(path),
  removeLater: (path) => unlink(path),
  async freeBytes(dir) {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  },
};

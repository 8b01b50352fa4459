import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { BulkColumn, Value } from '../dialect.ts';

/**
 * The file is gzip-compressed text, one JSON value a line: a header; for each table its description, then its
 * rows as arrays; a trailer. 64-bit sums are text. A file without its trailer is not a backup.
 */
export interface BackupHeader {
  tallygateBackup: 1;
  schemaVersion: number;
  createdAtMs: number;
}
export interface TableStart {
  table: string;
  columns: BulkColumn[];
}
export interface BackupTrailer {
  end: true;
  events: number;
  costNanoUsd: string;
}
export type BackupLine = BackupHeader | TableStart | Value[] | BackupTrailer;

/** Writes lines into a new file that only its owner can read. @throws Error when the file exists */
export async function writeLines(path: string, lines: AsyncIterable<BackupLine>): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(textOf(lines), createGzip({ level: 1 }), file);
}

const CHUNK_CHARACTERS = 64 * 1024;

async function* textOf(lines: AsyncIterable<BackupLine>): AsyncGenerator<string> {
  let chunk = '';
  for await (const line of lines) {
    chunk += `${JSON.stringify(line)}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

/** Reads the lines of a backup. @throws Error that says what is wrong with the file */
export async function* readLines(path: string): AsyncGenerator<BackupLine> {
  const file = createReadStream(path);
  const text = createGunzip();
  const copied = pipeline(file, text).then(
    () => null,
    (error: unknown) => error,
  );
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextLine(lines, path);
      if (next === null) break;
      yield next;
    }
    const failure = await copied;
    if (failure !== null) throw explain(failure, path);
  } finally {
    file.destroy();
    text.destroy();
  }
}

async function nextLine(lines: AsyncIterator<string>, path: string): Promise<BackupLine | null> {
  try {
    const next = await lines.next();
    return next.done === true ? null : (JSON.parse(next.value) as BackupLine);
  } catch (error) {
    throw explain(error, path);
  }
}

/** Errors of the file system are told as they are; whatever else went wrong is in the file. */
function explain(error: unknown, path: string): Error {
  const failure = error as { code?: unknown; syscall?: unknown };
  if (typeof failure.syscall !== 'string') return unreadable(error);
  return new Error(`The backup ${path} cannot be read: ${String(failure.code)}.`, { cause: error });
}

/** What is thrown for a file that is not a whole backup. */
export function unreadable(cause?: unknown): Error {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new Error(`The file is not a complete Tallygate backup${reason}. Use another copy of it.`, {
    cause,
  });
}

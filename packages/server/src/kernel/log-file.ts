import {
  appendFileSync,
  chmodSync,
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from './clock.ts';
import type { LogSink } from './logger.ts';

export interface LogFileOptions {
  path: string;
  /** A file that would grow beyond this is put aside. */
  maxBytes: number;
  /** So is one that was begun this long ago. */
  maxAgeMs: number;
  /** How many compressed files stay; older ones are removed. */
  keep: number;
}

const PRIVATE = 0o600;

/** A log file that is put aside by size and age, compressed, and readable by its owner only (CF-15). */
export interface LogFile extends LogSink {
  /** Resolves when nothing is being compressed any more; what is written afterwards is dropped. */
  close(): Promise<void>;
}

class RotatingFile implements LogFile {
  readonly #options: LogFileOptions;
  readonly #clock: Clock;
  #descriptor: number | null = null;
  #bytes = 0;
  #begunMs = 0;
  #tidying: Promise<void> = Promise.resolve();

  constructor(options: LogFileOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
    this.#open();
    this.#tidy(); // a process that was killed may have left a file uncompressed
  }

  #open(): void {
    const descriptor = openSync(this.#options.path, 'a', PRIVATE);
    fchmodSync(descriptor, PRIVATE); // it may have been made with a wider mode
    const { size, birthtimeMs, mtimeMs } = fstatSync(descriptor);
    this.#descriptor = descriptor;
    this.#bytes = size;
    const born = birthtimeMs > 0 ? birthtimeMs : mtimeMs;
    this.#begunMs = size === 0 ? this.#clock.now() : born;
  }

  write(line: string): void {
    if (this.#descriptor === null) return;
    try {
      const bytes = Buffer.from(line);
      const { maxBytes, maxAgeMs } = this.#options;
      const full = this.#bytes + bytes.length > maxBytes || this.#clock.now() - this.#begunMs >= maxAgeMs;
      if (full && this.#bytes > 0) this.#rotate();
      this.#bytes += writeSync(this.#descriptor, bytes);
    } catch {
      // A full disk must not stop the server; standard error has the line as well.
    }
  }

  #rotate(): void {
    const { path } = this.#options;
    const stamp = new Date(this.#clock.now()).toISOString().replace(/[:.]/g, '-');
    let aside = `${path}.${stamp}`;
    for (let number = 1; existsSync(aside) || existsSync(`${aside}.gz`); number++)
      aside = `${path}.${stamp}_${String(number).padStart(3, '0')}`; // sorts behind the first
    const old = this.#descriptor;
    renameSync(path, aside);
    this.#open(); // when that fails, lines go on into the file put aside
    if (old !== null) closeSync(old);
    this.#tidy();
  }

  #tidy(): void {
    this.#tidying = this.#tidying.then(() => this.#compressAll()).catch(() => undefined);
  }

  /** Files put aside, oldest first: their names begin with the time. */
  #aside(): string[] {
    const folder = dirname(this.#options.path);
    const start = `${basename(this.#options.path)}.`;
    return readdirSync(folder)
      .filter((name) => name.startsWith(start) && /^\d{4}-\d{2}-\d{2}T/.test(name.slice(start.length)))
      .sort()
      .map((name) => join(folder, name));
  }

  async #compressAll(): Promise<void> {
    for (const path of this.#aside()) {
      if (path.endsWith('.gz')) continue;
      const partial = `${path}.gz`;
      rmSync(partial, { force: true }); // left by a process that was killed while it compressed
      await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { mode: PRIVATE }));
      chmodSync(partial, PRIVATE);
      rmSync(path);
    }
    const compressed = this.#aside();
    for (const path of compressed.slice(0, Math.max(0, compressed.length - this.#options.keep))) rmSync(path);
  }

  async close(): Promise<void> {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    await this.#tidying;
  }
}

/** Opens the log file, making its folder. @throws Error of the system when it cannot be written */
export function openLogFile(options: LogFileOptions, clock: Clock): LogFile {
  return new RotatingFile(options, clock);
}

/**
 * For a thread that says little and beside the one that rotates: each line finds the file by its name, so that it
 * never ends in one that was put aside.
 */
export function appendingSink(path: string): LogSink {
  return {
    write(line) {
      try {
        appendFileSync(path, line, { mode: PRIVATE });
      } catch {
        // Standard error has the line as well.
      }
    },
  };
}

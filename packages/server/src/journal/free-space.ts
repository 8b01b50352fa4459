import type { Logger } from '../kernel/logger.ts';
import type { JournalFiles } from './journal-files.ts';

const CHECK_EVERY_MS = 1000;

/** Watches how much of the disk is free. */
export class FreeSpace {
  readonly #options: { dir: string; files: JournalFiles; reserveBytes: number; logger: Logger };
  #timer: NodeJS.Timeout | undefined;
  #low = false;
  #checking = false;
  #unreadable = false;

  constructor(options: { dir: string; files: JournalFiles; reserveBytes: number; logger: Logger }) {
    this.#options = options;
  }

  /** Less than the reserve is free. */
  get low(): boolean {
    return this.#low;
  }

  /** Checks now and then every second, without keeping the process alive. */
  async start(): Promise<void> {
    await this.#check();
    this.#timer = setInterval(() => void this.#check(), CHECK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    const { dir, files, reserveBytes, logger } = this.#options;
    try {
      const free = await files.freeBytes(dir);
      const low = free < reserveBytes;
      if (low !== this.#low) {
        this.#low = low;
        if (low) logger.error('disk nearly full: new requests are refused', { path: dir, bytes: free });
        else logger.info('disk space is back: requests are accepted', { path: dir, bytes: free });
      }
    } catch (error) {
      // Unknown is not low: a write that fails still says so. Said once, not every second.
      if (!this.#unreadable) logger.warn('free disk space cannot be read', { path: dir, error });
      this.#unreadable = true;
    } finally {
      this.#checking = false;
    }
  }
}

import { Worker } from 'node:worker_threads';
import type { JournalPosition } from '../journal/journal.ts';
import { comparePositions } from '../journal/position.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { FromLedgerThread, LedgerThreadData, ToLedgerThread } from './ledger-thread-protocol.ts';
import type { LedgerProgress } from './ledger-writer.ts';

/** Under load the journal advances at every turn of the event loop; the thread hears of it this often. */
const ANNOUNCE_EVERY_MS = 20;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 5000;
const DEFAULT_CLOSE_MS = 10_000;
/** Where requests keep the only core busy, the ledger gets next to none of it until it is this many segments behind. */
const BEHIND_SEGMENTS = 2;
/** From then on requests leave it a fifth of every 25 ms, which is enough for as many rows as they make. */
const WORK_MS = 20;
const REST_MS = 5;
/** A core is not what the ledger wants for when it gets nowhere for so long: its store hangs. */
const STUCK_MS = 10_000;

export interface LedgerClientOptions {
  /** The module that calls `runLedgerThread` with its `workerData.ledger`. */
  module: URL;
  /** More `workerData` for that module; must be cloneable. */
  workerData: Record<string, unknown>;
  journal: LedgerThreadData;
  clock: Clock;
  logger: Logger;
  /** Hears of every commit: release segments below, announce the live feed when rows went in. */
  onCommitted(progress: LedgerProgress): void;
  /** Blocks the calling thread for this long. */
  rest(ms: number): void;
  /** How long `close` waits for the store. Default 10 seconds. */
  closeTimeoutMs?: number;
}

export interface LedgerBacklog {
  /** End of the journal as far as the ledger was told. */
  safeEnd: JournalPosition;
  /** Everything before this is in the store or belongs to a request under way. */
  settledThrough: JournalPosition;
  /** How long the ledger has been behind without any progress; 0 when it is not behind. */
  stalledMs: number;
  /** Why the store fails, until a commit succeeds. */
  failure: string | null;
  /** Since the start: restarts of the thread, damaged stretches of the journal, entries set aside. */
  restarts: number;
  damages: number;
  quarantined: number;
}

/** The main thread's side of the ledger. */
export interface LedgerClient {
  /** Rows recovered from the journal and requests settled as interrupted when this process started. */
  readonly recovered: { rows: number; interrupted: number };
  /**
   * Tells the ledger that the journal is safe up to here. Cheap enough for every turn of the event loop, which it
   * holds up now and then while the ledger is far behind for want of a core: the journal must not grow without end.
   */
  advance(safeEnd: JournalPosition): void;
  backlog(): LedgerBacklog;
  /**
   * Commits everything announced so far and ends the thread.
   * @returns false when the store did not take it in time: it stays in the journal, and the next start commits it
   */
  close(): Promise<boolean>;
}

/**
 * Starts the ledger's thread, and starts it again whenever it dies.
 * @returns once recovery is complete
 * @throws the thread's error when it dies before that
 */
export function startLedger(options: LedgerClientOptions): Promise<LedgerClient> {
  return new ThreadedLedger(options).start();
}

class ThreadedLedger implements LedgerClient {
  recovered = { rows: 0, interrupted: 0 };
  readonly #options: LedgerClientOptions;
  #worker: Worker | null = null;
  #restartTimer: NodeJS.Timeout | undefined;
  #announceTimer: NodeJS.Timeout | undefined;
  #announcedAtMs = Number.NEGATIVE_INFINITY;
  #ready: { resolve(client: LedgerClient): void; reject(error: Error): void } | null = null;
  #closed: ((drained: boolean) => void) | null = null;
  #closing: Promise<boolean> | null = null;
  #safeEnd: JournalPosition;
  #settledThrough: JournalPosition;
  #progressAtMs: number;
  #failure: string | null = null;
  #starved = false;
  #restedAtMs = Number.NEGATIVE_INFINITY;
  #restartMs = FIRST_RESTART_MS;
  #restarts = 0;
  #damages = 0;
  #quarantined = 0;

  constructor(options: LedgerClientOptions) {
    this.#options = options;
    this.#safeEnd = options.journal.safeEnd;
    this.#settledThrough = { segment: 0, offset: 0 };
    this.#progressAtMs = options.clock.monotonicMs();
  }

  start(): Promise<LedgerClient> {
    return new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
      this.#startThread();
    });
  }

  advance(safeEnd: JournalPosition): void {
    if (!this.#isBehind()) this.#progressAtMs = this.#options.clock.monotonicMs();
    this.#safeEnd = safeEnd;
    if (this.#starved && this.#failure === null) this.#giveWay();
    if (this.#announceTimer !== undefined || this.#closing !== null) return;
    const dueInMs = this.#announcedAtMs + ANNOUNCE_EVERY_MS - this.#options.clock.monotonicMs();
    if (dueInMs <= 0) this.#announce();
    else this.#announceTimer = setTimeout(this.#announce, dueInMs).unref();
  }

  backlog(): LedgerBacklog {
    const stalledMs = this.#isBehind() ? this.#options.clock.monotonicMs() - this.#progressAtMs : 0;
    return {
      safeEnd: this.#safeEnd,
      settledThrough: this.#settledThrough,
      stalledMs,
      failure: this.#failure,
      restarts: this.#restarts,
      damages: this.#damages,
      quarantined: this.#quarantined,
    };
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    clearTimeout(this.#announceTimer);
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === null) return !this.#isBehind();
    const timeoutMs = this.#options.closeTimeoutMs ?? DEFAULT_CLOSE_MS;
    const drained = await new Promise<boolean>((resolve) => {
      this.#closed = resolve;
      const timer = setTimeout(resolve, timeoutMs, false);
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve(false);
      });
      this.#tell({ type: 'close', safeEnd: this.#safeEnd });
    });
    if (!drained) this.#options.logger.warn('the ledger did not drain; the next start commits the rest');
    await worker.terminate();
    return drained;
  }

  #giveWay(): void {
    const { clock, rest } = this.#options;
    if (this.#safeEnd.segment - this.#settledThrough.segment < BEHIND_SEGMENTS) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#restedAtMs < WORK_MS || nowMs - this.#progressAtMs > STUCK_MS) return;
    rest(REST_MS);
    this.#restedAtMs = clock.monotonicMs();
  }

  #isBehind(): boolean {
    return comparePositions(this.#safeEnd, this.#settledThrough) > 0;
  }

  readonly #announce = (): void => {
    this.#announceTimer = undefined;
    this.#announcedAtMs = this.#options.clock.monotonicMs();
    this.#tell({ type: 'advance', safeEnd: this.#safeEnd });
  };

  #tell(message: ToLedgerThread): void {
    this.#worker?.postMessage(message);
  }

  readonly #startThread = (): void => {
    const { module, workerData, journal } = this.#options;
    const ledger: LedgerThreadData = { ...journal, safeEnd: this.#safeEnd };
    const worker = new Worker(module, { workerData: { ...workerData, ledger }, name: 'ledger' });
    let failure: Error | null = null;
    this.#worker = worker;
    worker.on('message', (message: FromLedgerThread) => this.#hear(message));
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error('the ledger thread failed');
    });
    worker.on('exit', () => this.#ended(failure ?? new Error('the ledger thread ended')));
  };

  #hear(message: FromLedgerThread): void {
    switch (message.type) {
      case 'ready':
        this.#becomeReady({ rows: message.rows, interrupted: message.interrupted });
        break;
      case 'committed':
        this.#progressed(message);
        break;
      case 'starved':
        this.#starved = message.starved;
        break;
      case 'failed':
        this.#failure = message.reason;
        break;
      case 'damage':
        this.#damages += message.damage.kind === 'torn_tail' ? 0 : 1;
        break;
      case 'quarantined':
        this.#quarantined++;
        break;
      case 'closed':
        this.#closed?.(true);
        break;
    }
  }

  #becomeReady(recovered: { rows: number; interrupted: number }): void {
    this.#restartMs = FIRST_RESTART_MS;
    // What was journaled while the thread recovered.
    this.#announce();
    if (this.#ready === null) return;
    this.recovered = recovered;
    this.#ready.resolve(this);
    this.#ready = null;
  }

  #progressed(progress: LedgerProgress): void {
    const { committed, settledThrough, lowWaterSegment, rows, inserted } = progress;
    this.#failure = null;
    this.#settledThrough = settledThrough;
    this.#progressAtMs = this.#options.clock.monotonicMs();
    try {
      this.#options.onCommitted({ committed, settledThrough, lowWaterSegment, rows, inserted });
    } catch (error) {
      this.#options.logger.error('a ledger listener failed', { error });
    }
  }

  #ended(error: Error): void {
    this.#worker = null;
    this.#starved = false;
    if (this.#closing !== null) return;
    if (this.#ready !== null) {
      this.#ready.reject(error);
      this.#ready = null;
      return;
    }
    this.#restarts++;
    this.#options.logger.error('the ledger thread died and is started again', { error });
    this.#restartTimer = setTimeout(this.#startThread, this.#restartMs).unref();
    this.#restartMs = Math.min(this.#restartMs * 2, LONGEST_RESTART_MS);
  }
}

import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Lease, LeaseStore } from '../store/ports/leases.ts';
import type { After, Turn, Turns } from './job.ts';

export interface LeasedTurnsDeps {
  leases: LeaseStore;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  after: After;
  timing?: TurnTiming;
}

export interface TurnTiming {
  /** A process that dies with the turn keeps it for so long. */
  termMs: number;
  beatMs: number;
  /** The turn ends this much before its lease, for those whose clocks do not agree. */
  marginMs: number;
}

const TIMING: TurnTiming = { termMs: 9_000, beatMs: 3_000, marginMs: 1_000 };
const NAME = 'jobs';

/**
 * The turn as a lease in the store. Its holder renews it; when it stalls, another takes over after the term, and what
 * the first still has under way fails at the fence.
 */
export class LeasedTurns implements Turns {
  readonly #deps: LeasedTurnsDeps;
  readonly #timing: TurnTiming;
  #lease: Lease | null = null;
  /** By the monotonic clock, counted from before the store was asked. */
  #untilMs = Number.NEGATIVE_INFINITY;
  #gained: () => void = () => undefined;
  #cancel: (() => void) | null = null;
  #beating: Promise<void> = Promise.resolve();
  #stopped = false;
  #failing = false;

  constructor(deps: LeasedTurnsDeps) {
    this.#deps = deps;
    this.#timing = deps.timing ?? TIMING;
  }

  current(): Turn | null {
    if (this.#lease === null || this.#deps.clock.monotonicMs() >= this.#untilMs) return null;
    return { fence: this.#lease };
  }

  start(gained: () => void): void {
    this.#gained = gained;
    this.#next();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#beating;
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null)
      await this.#deps.leases.releaseLease(lease).catch((error: unknown) => {
        this.#deps.logger.warn('the turn for the jobs could not be passed on; it ends by itself', { error });
      });
  }

  #next(): void {
    this.#beating = this.#beat()
      .then(() => {
        this.#failing = false;
      })
      .catch((error: unknown) => {
        // The store is away: nobody else can take the turn either, and this one ends by the clock.
        if (!this.#failing)
          this.#deps.logger.warn('whose turn the jobs are cannot be settled; it is tried again', { error });
        this.#failing = true;
      })
      .finally(() => {
        if (!this.#stopped) this.#cancel = this.#deps.after(this.#timing.beatMs, () => this.#next());
      });
  }

  async #beat(): Promise<void> {
    const { leases, clock, newId, logger } = this.#deps;
    const { termMs, marginMs } = this.#timing;
    const askedAtMs = clock.monotonicMs();
    const nowMs = clock.now();
    const expiresAtMs = nowMs + termMs;
    if (this.#lease !== null && (await leases.renewLease(this.#lease, expiresAtMs))) {
      this.#untilMs = askedAtMs + termMs - marginMs;
      return;
    }
    if (this.#lease !== null) logger.warn('another node has taken over the jobs');
    this.#lease = null;
    this.#lease = await leases.acquireLease(NAME, { holder: newId(), nowMs, expiresAtMs });
    if (this.#lease === null || this.#stopped) return;
    this.#untilMs = askedAtMs + termMs - marginMs;
    this.#gained();
  }
}

import type { SendResult } from '../delivery/channel-adapter.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type {
  AlertChannelRow,
  AlertEventRow,
  AlertStore,
  ClaimedDelivery,
  DeliveryOutcome,
} from '../store/ports/alerts.ts';
import { waitAfterMs } from './retry-schedule.ts';

export interface OutboxDeps {
  store: Pick<AlertStore, 'claimDeliveries' | 'releaseDeliveryClaims' | 'finishDelivery'>;
  /** No other process sends from this store: claims found at the first run are those of one that died. */
  sole: boolean;
  /** Tries once, within less time than a claim lasts. Never rejects. */
  send(event: AlertEventRow, channel: AlertChannelRow): Promise<SendResult>;
  clock: Clock;
  newId: IdSource;
  /** In `[0, 1)`. */
  random(): number;
  logger: Logger;
}

const AT_ONCE = 10;
/** Longer than any try takes; where several processes send, one that died gives its deliveries back after this. */
const CLAIM_MS = 45_000;
const MAX_LOG = 20;

/** What becomes of a delivery after a try. */
export function outcomeOf(
  { delivery }: Pick<ClaimedDelivery, 'delivery'>,
  result: SendResult,
  { startedMs, nowMs, random }: { startedMs: number; nowMs: number; random: number },
): DeliveryOutcome {
  const attempts = delivery.attempts + 1;
  const { ok, status, message } = result;
  const tried = { atMs: startedMs, ok, status, durationMs: nowMs - startedMs, message };
  const log = [...delivery.log, tried].slice(-MAX_LOG);
  const done = { attempts, log, nextAttemptAtMs: delivery.nextAttemptAtMs, finishedAtMs: nowMs };
  if (ok) return { ...done, status: 'delivered' };
  const nextAttemptAtMs = nowMs + waitAfterMs(attempts, random, result.retryAfterMs);
  if (nextAttemptAtMs > delivery.expiresAtMs) return { ...done, status: 'dead' };
  return { status: 'pending', attempts, log, nextAttemptAtMs, finishedAtMs: null };
}

/**
 * Sends what is due. A delivery is claimed, tried and finished; a process that dies in between leaves a claim that
 * ends, or is ended by its successor where there can be no other process, and the delivery is tried again with the same
 * event id: at least once, never lost.
 */
export class AlertOutbox {
  readonly #deps: OutboxDeps;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  /** Whether what a process before this one had claimed may still be claimed. */
  #claimsLeft: boolean;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#claimsLeft = deps.sole;
  }

  /** Sends until nothing is due. A call while it runs makes it look once more. */
  run(): Promise<void> {
    if (this.#running !== null) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#drain().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Takes nothing more and waits for what is being sent: a receiver that hangs must not keep a server from ending. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    const { store, clock, newId } = this.#deps;
    if (this.#claimsLeft && !this.#stopped) {
      await store.releaseDeliveryClaims();
      this.#claimsLeft = false;
    }
    while (!this.#stopped) {
      this.#again = false;
      const nowMs = clock.now();
      const token = newId();
      const claim = { token, nowMs, untilMs: nowMs + CLAIM_MS, limit: AT_ONCE };
      const claimed = await store.claimDeliveries(claim);
      await Promise.all(claimed.map((one) => this.#deliver(one, token)));
      if (claimed.length === 0 && !this.#again) return;
    }
  }

  async #deliver(claimed: ClaimedDelivery, token: string): Promise<void> {
    const { store, clock, random, logger } = this.#deps;
    const { delivery, event, channel } = claimed;
    const startedMs = clock.now();
    try {
      if (channel === null || !channel.enabled) {
        const message = channel === null ? 'The channel was removed.' : 'The channel is switched off.';
        const tried = { atMs: startedMs, ok: false, status: null, durationMs: 0, message };
        const log = [...delivery.log, tried].slice(-MAX_LOG);
        const { attempts, nextAttemptAtMs } = delivery;
        const dead = { status: 'dead' as const, attempts, nextAttemptAtMs, finishedAtMs: startedMs, log };
        await store.finishDelivery(delivery.id, token, dead);
        return;
      }
      const result = await this.#deps.send(event, channel);
      const outcome = outcomeOf(claimed, result, { startedMs, nowMs: clock.now(), random: random() });
      await store.finishDelivery(delivery.id, token, outcome);
      if (outcome.status === 'dead')
        logger.error('an alert could not be delivered within a day', { reason: `delivery ${delivery.id}` });
    } catch (error) {
      // The claim ends by itself, and the delivery is tried again.
      logger.warn('a delivery could not be finished', { reason: `delivery ${delivery.id}`, error });
    }
  }
}

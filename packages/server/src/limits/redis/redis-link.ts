import { Redis } from 'ioredis';
import type { Script } from './script.ts';

export interface RedisLinkOptions {
  url: string;
  /** A decision that takes longer is made without Redis. */
  deadlineMs: number;
  /** How long everything else may take. */
  patienceMs: number;
  onChange(up: boolean): void;
}

/** Failures in a row that open the breaker: from then on only the heartbeat asks. */
const FAILURES = 3;
/** Heartbeats that stay without an answer before the connection is given up for a new one. */
const DEAF_BEATS = 2;
const LONGEST_RECONNECT_MS = 500;
/** A timer that is this late tells of this process, not of Redis. */
const BUSY_MS = 10;

/** Redis did not answer in time, or cannot be asked. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

/**
 * The connection to Redis with its deadline and its circuit breaker. Nothing is queued while it is down and nothing is
 * sent again by itself: what may be repeated is repeated by those who know how.
 */
export class RedisLink {
  readonly #redis: Redis;
  readonly #options: RedisLinkOptions;
  #failures = 0;
  #deafBeats = 0;
  /** The connection was given up and is not closed yet. */
  #leaving = false;
  #up = false;
  #timeouts = 0;
  #errors = 0;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#redis = new Redis(options.url, {
      lazyConnect: true,
      protocol: 2,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      connectTimeout: options.patienceMs,
      disableClientInfo: true,
      retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_MS),
    });
    this.#redis.on('error', () => undefined); // commands fail by themselves; without a listener the process would end
    this.#redis.on('close', () => {
      this.#leaving = false;
      this.#set(false);
    });
  }

  /** False while the breaker is open: nothing is asked then. */
  get up(): boolean {
    return this.#up;
  }

  get counts(): { timeouts: number; errors: number } {
    return { timeouts: this.#timeouts, errors: this.#errors };
  }

  /** Begins to connect; resolves at once. */
  connect(): void {
    this.#redis.connect().catch(() => undefined);
  }

  /** A decision: one round trip within the deadline. @throws RedisUnavailable */
  async decide(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.#up) throw new RedisUnavailable('the breaker is open');
    try {
      const answer = await this.#within(this.#options.deadlineMs, this.#run(script, keys, args));
      this.#failures = 0;
      return answer;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= FAILURES) this.#set(false);
      throw error;
    }
  }

  /** What is not waited for by a request. @throws RedisUnavailable */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#within(this.#options.patienceMs, this.#run(script, keys, args));
  }

  /** @throws RedisUnavailable */
  command(name: string, ...args: readonly string[]): Promise<unknown> {
    return this.#within(this.#options.patienceMs, this.#redis.call(name, ...args));
  }

  /** The heartbeat: closes the breaker when it is answered as fast as a decision has to be. @throws RedisUnavailable */
  async beat(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (this.#redis.status === 'end' || this.#redis.status === 'wait') this.connect();
    try {
      const answer = await this.#within(this.#options.deadlineMs * 2, this.#run(script, keys, args));
      this.#deafBeats = 0;
      this.#failures = 0;
      this.#set(true);
      return answer;
    } catch (error) {
      this.#set(false);
      this.#deafBeats += 1;
      if (this.#deafBeats >= DEAF_BEATS && this.#redis.status === 'ready' && !this.#leaving) {
        this.#deafBeats = 0;
        this.#leaving = true;
        // Torn down, not ended: who hears nothing does not agree to an end, and would be waited for.
        this.#redis.stream.destroy();
      }
      throw error;
    }
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(script.sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(script.lua, keys.length, ...keys, ...args);
    }
  }

  #within(ms: number, answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const startedAtMs = performance.now();
      let settled = false;
      let again = true;
      const late = (): void => {
        // When this process was too busy to look, the answer may be there: what has arrived is read before this goes on.
        setImmediate(() => {
          if (settled) return;
          if (again && performance.now() - startedAtMs > ms + BUSY_MS) {
            again = false;
            timer = setTimeout(late, ms);
            return;
          }
          this.#timeouts += 1;
          reject(new RedisUnavailable(`no answer within ${ms} ms`));
        });
      };
      let timer = setTimeout(late, ms);
      answer.then(
        (value) => {
          settled = true;
          clearTimeout(timer);
          resolve(value);
        },
        (error: unknown) => {
          settled = true;
          clearTimeout(timer);
          this.#errors += 1;
          reject(new RedisUnavailable('the command failed', { cause: error }));
        },
      );
    });
  }

  #set(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#options.onChange(up);
  }
}

import { Redis, type RedisOptions } from 'ioredis';
import type { IdSource } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import { type ChangeBus, TOPICS, type Topic } from '../change-bus.ts';

export interface RedisBusDeps {
  url: string;
  namespace: string;
  newId: IdSource;
  logger: Logger;
  /** Another node says that something changed, or may have said so while nobody heard. */
  onMessage(topic: Topic): void;
}

/** Traffic commits rows all the time: the others hear of that so often at most. */
const LEDGER_EVERY_MS = 100;
const LONGEST_RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A sender's id, a space, a topic. */
const MAX_MESSAGE_CHARS = 100;

const OPTIONS: RedisOptions = {
  lazyConnect: true,
  protocol: 2,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  disableClientInfo: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_MS),
};

/** Announcements over Redis pub/sub: at most once, to whoever listens at that moment. */
export class RedisBus implements ChangeBus {
  readonly #deps: RedisBusDeps;
  readonly #sender: string;
  readonly #channel: string;
  readonly #publisher: Redis;
  readonly #listener: Redis;
  #ledgerTimer: NodeJS.Timeout | null = null;
  #ledgerAgain = false;
  #refused = false;

  constructor(deps: RedisBusDeps) {
    this.#deps = deps;
    this.#sender = deps.newId();
    this.#channel = `${deps.namespace}:changes`;
    this.#publisher = new Redis(deps.url, OPTIONS);
    this.#listener = new Redis(deps.url, OPTIONS);
    for (const redis of [this.#publisher, this.#listener]) redis.on('error', () => undefined); // it connects again
    this.#listener.on('ready', () => void this.#listen());
    this.#listener.on('message', (_channel, message) => this.#heard(message));
  }

  /** Begins to connect; resolves at once. */
  start(): void {
    for (const redis of [this.#publisher, this.#listener]) redis.connect().catch(() => undefined);
  }

  publish(topic: Topic): void {
    if (topic === 'config') return this.#send(topic);
    if (this.#ledgerTimer !== null) {
      this.#ledgerAgain = true;
      return;
    }
    this.#send(topic);
    this.#ledgerTimer = setTimeout(() => {
      this.#ledgerTimer = null;
      const again = this.#ledgerAgain;
      this.#ledgerAgain = false;
      if (again) this.publish('ledger');
    }, LEDGER_EVERY_MS).unref();
  }

  stop(): void {
    if (this.#ledgerTimer !== null) clearTimeout(this.#ledgerTimer);
    this.#publisher.disconnect();
    this.#listener.disconnect();
  }

  #send(topic: Topic): void {
    this.#publisher.publish(this.#channel, `${this.#sender} ${topic}`).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    try {
      await this.#listener.subscribe(this.#channel);
    } catch (error) {
      if (!this.#refused && this.#listener.status === 'ready')
        this.#deps.logger.warn('Redis does not let changes be announced: nodes find them by looking', {
          error,
        });
      this.#refused = true;
      return;
    }
    this.#refused = false;
    for (const topic of TOPICS) this.#deps.onMessage(topic); // what was said before was not heard
  }

  #heard(message: string): void {
    if (message.length > MAX_MESSAGE_CHARS) return;
    const [sender, said] = message.split(' ');
    const topic = TOPICS.find((known) => known === said);
    if (sender !== this.#sender && topic !== undefined) this.#deps.onMessage(topic);
  }
}

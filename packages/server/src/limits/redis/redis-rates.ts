import { createHash } from 'node:crypto';
import type { IdSource } from '../../kernel/ids.ts';
import { LiveList } from '../../kernel/live-list.ts';
import type { Logger } from '../../kernel/logger.ts';
import { RateEngine } from '../rate-engine.ts';
import { tokensFor } from '../rate-lease.ts';
import {
  dependsOnAccount,
  partitionOf,
  type RateAsk,
  type RateLimit,
  type TokenAmounts,
} from '../rate-limit.ts';
import type { RateDecision, RateLease, RateStanding, RateState, UndoMove } from '../rate-state.ts';
import { ScopeIndex } from '../scope-index.ts';
import { ADMIT_RATE } from './decision-scripts.ts';
import { once, partsOf, type RateAsking, type RateFound, standing, type Wanted } from './rate-asking.ts';
import { END_RATE, READ_RATE, RENEW_RATE } from './rate-scripts.ts';
import { RedisLink, RedisUnavailable } from './redis-link.ts';
import { bucketOf, type Ending, kindOf, SharedLease, type SharedPart, sliceMsOf } from './shared-lease.ts';

export interface RedisRatesOptions {
  url: string;
  /** Keeps installations apart that share a Redis. */
  namespace: string;
  newId: IdSource;
  logger: Logger;
  /** A decision that takes longer is made by what this process counts alone. */
  deadlineMs: number;
  patienceMs: number;
  beatMs: number;
  /** What a process held that died is free after this long. */
  leaseMs: number;
}

/** Texts that clients choose may be long; keys are not. */
const MAX_NAME_CHARS = 128;
/** So much of a long one is left to be recognised by, beside what tells it from others. */
const SHOWN_CHARS = 84;
/** Standings are read of the counts that were used last. */
const MAX_READ = 200;
/** Members renewed in one step. */
const RENEW_BATCH = 500;

/** What a count is called: a name that was shortened stays as it is, so a count is found again by it. */
function nameOf(partition: string): string {
  if (partition.length <= MAX_NAME_CHARS) return partition;
  const digest = createHash('sha256').update(partition).digest('base64url');
  return `${partition.slice(0, SHOWN_CHARS)}~${digest}`;
}

const itself = (limit: RateLimit): RateLimit => limit;

/**
 * Limits that nodes share through Redis (TW-19): one script a decision, over all counts, by Redis' own clock. While it
 * cannot be asked in time each process counts for itself, which lets through more than the limit but never stops all.
 */
export class RedisRates implements RateState {
  readonly #options: RedisRatesOptions;
  readonly #link: RedisLink;
  /** Decides while Redis does not. */
  readonly #alone = new RateEngine();
  readonly #leases = new LiveList<SharedLease>();
  readonly #root: string;
  #limits = new Map<string, RateLimit>();
  #index = new ScopeIndex<RateLimit>([], itself);
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RedisRatesOptions) {
    this.#options = options;
    // The same part in braces as budgets have: one script asks both.
    this.#root = `{${options.namespace}:limits}rates:`;
    const { url, deadlineMs, patienceMs, logger } = options;
    this.#link = new RedisLink({
      url,
      deadlineMs,
      patienceMs,
      onChange: (up) =>
        up
          ? logger.info('limits are counted together with the other nodes')
          : logger.warn('limits are counted by this process alone: Redis does not answer in time'),
    });
  }

  get active(): boolean {
    return this.#limits.size > 0;
  }

  /** False while this process counts alone. */
  get shared(): boolean {
    return this.#link.up;
  }

  /** Connects, and renews what is on its way from now on. */
  async start(): Promise<void> {
    this.#link.connect();
    await this.#beat();
    this.#timer = setInterval(() => void this.#beat(), this.#options.beatMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#link.close();
  }

  replaceAll(limits: readonly RateLimit[]): void {
    this.#limits = new Map(limits.map((limit) => [limit.id, limit]));
    this.#index = new ScopeIndex(limits, itself);
    this.#alone.replaceAll(limits);
  }

  async admit(ask: RateAsk, bound: () => TokenAmounts): Promise<RateDecision> {
    const tokens = once(bound);
    const asking = this.asking(ask, tokens);
    if (asking === null) return null;
    try {
      return this.decided(
        asking,
        (await this.#link.decide(ADMIT_RATE, asking.keys, asking.args)) as string[],
      );
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
      return this.admitAlone(ask, tokens);
    }
  }

  /** What Redis has to be asked; null when no limit covers the request. */
  asking(ask: RateAsk, tokens: () => TokenAmounts): RateAsking | null {
    const wanted = this.#wanted(ask, tokens, () => true);
    return wanted.length === 0 ? null : this.#asking(this.#options.newId(), wanted, false);
  }

  /** What the answer of Redis comes to. */
  decided(asking: RateAsking, answer: readonly string[]): Exclude<RateDecision, null> {
    const found = partsOf(asking, answer);
    if ('refusal' in found) return found;
    const lease = new SharedLease(asking.lease, found.parts, {
      send: (of, endings) => this.#end(of, endings),
      onEnd: (of) => this.#leases.remove(of),
    });
    this.#leases.add(lease);
    return { lease };
  }

  /** Decides by what this process counts, while Redis does not answer in time. */
  admitAlone(ask: RateAsk, tokens: () => TokenAmounts): RateDecision {
    return this.#alone.admit(ask, tokens);
  }

  /** What Redis has to be asked for a move; null when no limit depends on the account it goes to. */
  moving(lease: SharedLease, ask: RateAsk, tokens: () => TokenAmounts): RateAsking | null {
    const wanted = this.#wanted(ask, tokens, dependsOnAccount);
    return wanted.length === 0 ? null : this.#asking(lease.id, wanted, false);
  }

  /** Lets go of the account that a lease leaves; its counts hear of it over the link that `tell` is given, once. */
  leave(lease: SharedLease): { tell(link?: RedisLink): void; back(): void } {
    let endings: readonly Ending[] = [];
    const left = lease.leaveAccount((_lease, open) => {
      endings = open;
    });
    return {
      tell: (link = this.#link) => {
        if (endings.length > 0) this.#end(lease, endings, link);
        endings = [];
      },
      back: () => void this.#hold(lease, left),
    };
  }

  /** Takes in what a lease has of the account it went to. */
  arrived(lease: SharedLease, asking: RateAsking, answer: readonly string[]): void {
    const found = partsOf(asking, answer);
    if ('parts' in found) this.#join(lease, found.parts);
  }

  #join(lease: SharedLease, parts: readonly SharedPart[]): void {
    lease.parts = [...lease.parts, ...parts];
    if (lease.ended) lease.dropParts(parts);
  }

  async move(lease: RateLease, ask: RateAsk, bound: () => TokenAmounts): Promise<UndoMove> {
    if (!(lease instanceof SharedLease)) return this.#alone.move(lease, ask, bound);
    const wanted = this.#wanted(ask, once(bound), dependsOnAccount);
    const { tell, back } = this.leave(lease);
    tell();
    try {
      const found = wanted.length === 0 ? { parts: [] } : await this.#ask(lease.id, wanted, false);
      if ('refusal' in found) {
        back();
        return null;
      }
      const { parts } = found;
      this.#join(lease, parts);
      return () => {
        lease.dropParts(parts);
        back();
      };
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
      return () => undefined; // what cannot be counted is let through
    }
  }

  async standings(
    id: string,
    _nowMs: number,
    most: number,
  ): Promise<{ total: number; fullest: RateStanding[] }> {
    const limit = this.#limits.get(id);
    if (limit === undefined) return { total: 0, fullest: [] };
    try {
      const index = this.#indexKey(limit);
      const partitions = (await this.#link.command(
        'ZRANGE',
        index,
        '0',
        String(MAX_READ - 1),
        'REV',
      )) as string[];
      if (partitions.length === 0) return { total: 0, fullest: [] };
      const keys = partitions.flatMap((partition) => this.#keys(limit, partition).slice(0, 2));
      const slice = String(sliceMsOf(limit));
      const numbers = (await this.#link.run(READ_RATE, keys, [kindOf(limit), slice])) as string[];
      const all = partitions.map((partition, i) => standing(limit, partition, numbers.slice(i * 3)));
      const used = all.filter((one) => one.used > 0).sort((a, b) => b.used - a.used);
      return { total: used.length, fullest: used.slice(0, most) };
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
      return this.#alone.standings(id, _nowMs, most);
    }
  }

  #wanted(ask: RateAsk, tokens: () => TokenAmounts, which: (limit: RateLimit) => boolean): Wanted[] {
    return this.#index.matching(ask.subject).flatMap((limit): Wanted[] => {
      if (!which(limit) || (limit.measure === 'concurrent_streams' && !ask.stream)) return [];
      const partition = partitionOf(limit.per, ask);
      if (partition === null) return [];
      const kind = kindOf(limit);
      const most = kind === 't' ? Math.min(tokensFor(limit.measure, tokens()) ?? 0, limit.limit) : 1;
      const amount = kind === 'r' ? ask.requests : most;
      return [{ limit, partition, amount, keys: this.#keys(limit, partition) }];
    });
  }

  #indexKey({ id, windowMs }: RateLimit): string {
    return `${this.#root}i:${id}:${windowMs ?? 0}`;
  }

  /** How long a count outlives its last use. */
  #kept({ windowMs }: RateLimit): string {
    return String(((windowMs ?? 0) + this.#options.leaseMs) * 2);
  }

  #keys(limit: RateLimit, partition: string): SharedPart['keys'] {
    const count = `${this.#root}c:${limit.id}:${limit.windowMs ?? 0}:${nameOf(partition)}`;
    return [count, `${count}:leases`, this.#indexKey(limit)];
  }

  #asking(lease: string, wanted: readonly Wanted[], forced: boolean): RateAsking {
    const args = [lease, String(this.#options.leaseMs), forced ? '1' : '0'];
    for (const { limit, amount, partition } of wanted) {
      const numbers = [amount, limit.limit, sliceMsOf(limit), ...bucketOf(limit)].map(String);
      args.push(kindOf(limit), ...numbers, this.#kept(limit), nameOf(partition));
    }
    return { lease, wanted, keys: wanted.flatMap((part) => part.keys), args };
  }

  /** @throws RedisUnavailable */
  async #ask(lease: string, wanted: readonly Wanted[], forced: boolean): Promise<RateFound> {
    const asking = this.#asking(lease, wanted, forced);
    const { keys, args } = asking;
    const run = forced ? this.#link.run(ADMIT_RATE, keys, args) : this.#link.decide(ADMIT_RATE, keys, args);
    return partsOf(asking, (await run) as string[]);
  }

  /** Keeps back again what a lease let go of, whether there is room or not; requests have stayed counted. */
  async #hold(lease: SharedLease, left: readonly SharedPart[]): Promise<void> {
    const wanted = left.filter(({ limit }) => limit.measure !== 'requests');
    lease.parts = [...lease.parts, ...left.filter((part) => !wanted.includes(part))];
    if (wanted.length === 0) return;
    try {
      const found = await this.#ask(lease.id, wanted, true);
      if ('parts' in found) this.#join(lease, found.parts);
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
  }

  /** What does not arrive ends by itself: nobody renews it. */
  #end(lease: SharedLease, endings: readonly Ending[], link = this.#link): void {
    const keys = endings.flatMap(({ part }) => part.keys.slice(0, 2));
    const args = [lease.id];
    for (const { part, actual, takenBack } of endings) {
      const [units, perMs] = bucketOf(part.limit);
      const numbers = [sliceMsOf(part.limit), units, perMs].map(String);
      args.push(
        kindOf(part.limit),
        String(part.amount),
        String(actual),
        takenBack ? '1' : '0',
        part.slice,
        ...numbers,
      );
    }
    link.run(END_RATE, keys, args).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    const open = this.#leases
      .toArray()
      .flatMap(({ id, parts }) =>
        parts
          .filter((part) => !part.ended && part.limit.measure !== 'requests')
          .map((part) => ({ part, member: `${id}=${part.amount}` })),
      );
    const { leaseMs } = this.#options;
    try {
      for (let from = 0; from === 0 || from < open.length; from += RENEW_BATCH) {
        const some = open.slice(from, from + RENEW_BATCH);
        const keys = some.flatMap(({ part }) => part.keys.slice(0, 2));
        const members = some.flatMap(({ part, member }) => [member, this.#kept(part.limit)]);
        await this.#link.beat(RENEW_RATE, keys, [String(leaseMs), ...members]);
      }
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
  }
}

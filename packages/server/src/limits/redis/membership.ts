import type { Logger } from '../../kernel/logger.ts';
import { BEAT, BEGIN, EXPIRE, JOIN, OPEN } from './book-scripts.ts';
import type { LedgerSums } from './books-deps.ts';
import { chunks } from './chunks.ts';
import type { Outbox } from './outbox.ts';
import type { RedisKeys } from './redis-keys.ts';
import { type RedisLink, RedisUnavailable } from './redis-link.ts';

/** The books in force. */
export interface Books {
  generation: string;
  /** Requests that start earlier are the ledger's to sum, but for those that the nodes name. */
  fromMs: number;
}

export interface MembershipDeps {
  link: RedisLink;
  keys: RedisKeys;
  outbox: Outbox;
  /** This process of this node. */
  owner: string;
  newId(): string;
  logger: Logger;
  timing: MembershipTiming;
  /** Requests on their way, each with its hold as text. */
  openHolds(): [id: string, text: string][];
  /** See `LedgerSums.upToNow`. */
  ledgerUpToNow: LedgerSums['upToNow'];
  /** True when an earlier process may have let requests through that the books do not know. */
  mustBeginAnew(generation: string): Promise<boolean>;
  /** The books are open, for the first time since this process joined them. */
  onOpen(books: Books): Promise<void>;
  /** After each heartbeat that was answered while the books are open. */
  onBeat(books: Books): Promise<void>;
}

export interface MembershipTiming {
  beatMs: number;
  /** A node that is silent for so long is not waited for. */
  leaseMs: number;
  /** What a node that is silent for so long held is charged. */
  chargeAfterMs: number;
  /** New books wait at least so long for nodes to join, so that each has had its heartbeat. */
  gatherMs: number;
  gatherMaxMs: number;
  /** By how much the clocks of nodes may differ: new books begin so much later than now. */
  clockAllowanceMs: number;
}

/** What this node brings to books that it joins: everything that has ended is the ledger's, the rest has a name. */
interface Luggage {
  holds: readonly [id: string, text: string][];
  /** Requests have ended that only the ledger may know. */
  hasEnded: boolean;
  /** The books that know the names. */
  namedIn: string | null;
  /** Resolves true when the ledger has all that had ended when the names were taken; may be asked again. */
  reached(): Promise<boolean>;
  isAsking: boolean;
  isComplete: boolean;
}

/** No books that were made before are to be trusted, whichever they are. */
const ANY = Symbol('any');

export const TIMING: MembershipTiming = {
  beatMs: 500,
  leaseMs: 5_000,
  chargeAfterMs: 60_000,
  gatherMs: 1_250,
  gatherMaxMs: 5_000,
  clockAllowanceMs: 30_000,
};

const JOIN_CHUNK = 200;

/**
 * This node's place among those that share the books. Redis may lose them at any time; the heartbeat notices, and the
 * nodes make new ones together: each names what is on its way, and once all have, the ledger's sums stand for the rest.
 */
export class Membership {
  readonly #deps: MembershipDeps;
  #joined: Books | null = null;
  #open = false;
  #welcomed = false;
  /** On the way into books that are not joined yet. */
  #luggage: Luggage | null = null;
  /** Books that cannot be trusted any more. */
  #lost: string | typeof ANY | null = null;
  #everJoined = false;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  #stopped = false;
  #skewMs = 0;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
  }

  /** The books when they are open; null while they are being made, or out of reach. */
  get books(): Books | null {
    return this.#open ? this.#joined : null;
  }

  /** This machine's clock less that of Redis. */
  get clockSkewMs(): number {
    return this.#skewMs;
  }

  /** Begins; resolves when the books are open, or after the time given. */
  async start(waitMs: number): Promise<void> {
    this.#deps.link.connect();
    const deadline = performance.now() + waitMs;
    this.#schedule(0);
    while (!(this.#open && this.#welcomed) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Looks at once what is the matter. */
  poke(): void {
    this.#open = false;
    this.#schedule(0);
  }

  /** The books miss something: they have to be made anew. */
  lost(): void {
    this.#lost = this.#joined?.generation ?? ANY;
    this.poke();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#beating;
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), ms);
    this.#timer.unref();
  }

  #next(): void {
    this.#timer = null;
    if (this.#beating !== null) return;
    this.#beating = this.#beat()
      .catch((error: unknown) => {
        this.#open = false;
        if (error instanceof RedisUnavailable) return;
        this.#deps.logger.warn('the limits that nodes share could not be looked after', { error });
      })
      .finally(() => {
        this.#beating = null;
        this.#schedule(this.#open ? this.#deps.timing.beatMs : Math.min(100, this.#deps.timing.beatMs));
      });
  }

  async #beat(): Promise<void> {
    const { link, keys, owner, timing, outbox } = this.#deps;
    const sentAtMs = Date.now();
    const answer = (await link.beat(
      BEAT,
      [keys.state, keys.nodes],
      [owner, String(timing.leaseMs), String(timing.chargeAfterMs)],
    )) as [string, string, string, string, string, string, string[]];
    const [now, generation, open, from, , live, dead] = answer;
    this.#skewMs = sentAtMs - Number(now);
    if (
      generation === '' ||
      generation === this.#lost ||
      this.#lost === ANY ||
      outbox.overflown ||
      (await this.#distrusts(generation))
    )
      return this.#begin(generation);
    if (generation !== this.#joined?.generation && !(await this.#join({ generation, fromMs: Number(from) })))
      return;
    const books = this.#joined;
    if (books === null) return;
    this.#open = open === '1' || (await this.#openBooks(books, live));
    if (!this.#open) return;
    outbox.pump();
    for (const gone of dead) if (gone !== owner) await this.#charge(books, gone);
    if (!this.#welcomed) {
      await this.#deps.onOpen(books);
      this.#welcomed = true;
    }
    await this.#deps.onBeat(books);
  }

  #distrusts(generation: string): Promise<boolean> {
    return this.#everJoined ? Promise.resolve(false) : this.#deps.mustBeginAnew(generation);
  }

  async #begin(expected: string): Promise<void> {
    const { link, keys, newId, timing, outbox } = this.#deps;
    this.#open = false;
    this.#everJoined ||= this.#joined !== null;
    if (outbox.overflown) {
      await outbox.pause(() => undefined);
      this.#luggage = null;
    }
    await link.run(BEGIN, [keys.state], [expected, newId(), String(timing.clockAllowanceMs)]);
    this.#lost = null;
    this.#joined = null;
    this.#everJoined = true; // these are new: there is nothing in them that could be distrusted
    this.#schedule(0);
  }

  /**
   * What is on its way is named at once, so that it is held wherever the books are opened; then the ledger has to take in
   * what has ended. That may take its time: heartbeats go on meanwhile, and what waits is not taken anew with each of them.
   */
  async #join(books: Books): Promise<boolean> {
    const { outbox, logger } = this.#deps;
    const { generation } = books;
    this.#open = false;
    this.#welcomed = false;
    this.#luggage ??= await this.#pack();
    const luggage = this.#luggage;
    const isFresh = !this.#everJoined && !luggage.hasEnded && luggage.holds.length === 0;
    if (luggage.namedIn !== generation) {
      for (const part of chunks(luggage.holds, JOIN_CHUNK))
        if (!(await this.#tell(generation, part.flat(), { isFresh, isLast: false }))) return false;
      luggage.namedIn = generation;
    }
    this.#complete(luggage);
    if (!luggage.isComplete || !(await this.#tell(generation, [], { isFresh, isLast: true }))) return false;
    this.#luggage = null;
    this.#joined = books;
    this.#everJoined = true;
    outbox.resume(books);
    logger.info('joined the limits that nodes share', { count: luggage.holds.length });
    return true;
  }

  #pack(): Promise<Luggage> {
    const { outbox, openHolds, ledgerUpToNow } = this.#deps;
    return outbox.pause((hasEnded) => ({
      ...{ holds: openHolds(), hasEnded, reached: ledgerUpToNow() },
      ...{ namedIn: null, isAsking: false, isComplete: false },
    }));
  }

  #complete(luggage: Luggage): void {
    if (luggage.isAsking || luggage.isComplete) return;
    luggage.isAsking = true;
    luggage
      .reached()
      .then((reached) => {
        luggage.isComplete = reached;
        if (reached) this.#schedule(0);
      })
      .catch((error: unknown) => {
        this.#deps.logger.warn('what has ended could not be followed into the ledger', { error });
      })
      .finally(() => {
        luggage.isAsking = false;
      });
  }

  async #tell(
    generation: string,
    names: readonly string[],
    { isFresh, isLast }: { isFresh: boolean; isLast: boolean },
  ): Promise<boolean> {
    const { link, keys, owner, outbox } = this.#deps;
    const places = [
      keys.state,
      keys.holds(generation, owner),
      keys.batches(generation),
      keys.joined(generation),
    ];
    const said = await link.run(JOIN, places, [
      ...[generation, owner, String(outbox.number), keys.windows(generation), keys.older(generation)],
      ...[isFresh ? '1' : '0', isLast ? '1' : '0'],
      ...names,
    ]);
    if (said !== 'ok') this.#schedule(0);
    return said === 'ok';
  }

  async #openBooks({ generation }: Books, live: string): Promise<boolean> {
    const { link, keys, timing } = this.#deps;
    const wait = [String(timing.gatherMs), String(timing.gatherMaxMs)];
    const said = await link.run(OPEN, [keys.state, keys.joined(generation)], [generation, live, ...wait]);
    return said === 'ok';
  }

  async #charge({ generation }: Books, gone: string): Promise<void> {
    const { link, keys, timing, logger } = this.#deps;
    const names = [keys.nodes, keys.holds(generation, gone), keys.expired(generation, gone)];
    const charged = await link.run(EXPIRE, names, [
      ...[gone, keys.windows(generation), String(timing.chargeAfterMs)],
    ]);
    if (Number(charged) > 0)
      logger.warn('a node is gone: what its requests held is charged', { count: Number(charged) });
  }
}

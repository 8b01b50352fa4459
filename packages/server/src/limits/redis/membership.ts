import type { Logger } from '../../kernel/logger.ts';
import { BEAT, BEGIN, EXPIRE, JOIN, OPEN } from './book-scripts.ts';
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
  /** Resolves true when every request that has ended is in the store; false when that takes too long. */
  ledgerCaughtUp(): Promise<boolean>;
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
}

export const TIMING: MembershipTiming = {
  beatMs: 500,
  leaseMs: 5_000,
  chargeAfterMs: 60_000,
  gatherMs: 1_250,
  gatherMaxMs: 5_000,
};

/** By how much the clocks of nodes may differ. */
const CLOCK_ALLOWANCE_MS = 30_000;
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
  /** Books that cannot be trusted any more. */
  #lost: string | null = null;
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
    this.#lost = this.#joined?.generation ?? null;
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
    const { link, keys, newId } = this.#deps;
    this.#open = false;
    this.#everJoined ||= this.#joined !== null;
    await link.run(BEGIN, [keys.state], [expected, newId(), String(CLOCK_ALLOWANCE_MS)]);
    this.#lost = null;
    this.#joined = null;
    this.#everJoined = true; // these are new: there is nothing in them that could be distrusted
    this.#schedule(0);
  }

  async #join(books: Books): Promise<boolean> {
    const { link, keys, owner, outbox, logger } = this.#deps;
    const { generation } = books;
    this.#open = false;
    this.#welcomed = false;
    const holds = await outbox.pause(() => this.#deps.openHolds());
    if (!(await this.#deps.ledgerCaughtUp())) return false; // what waited is in the journal, so the next try sums it
    const fresh = !this.#everJoined && holds.length === 0;
    const names = [
      keys.state,
      keys.holds(generation, owner),
      keys.older(generation),
      keys.batches(generation),
      keys.joined(generation),
    ];
    for (let at = 0; at === 0 || at < holds.length; at += JOIN_CHUNK) {
      const last = at + JOIN_CHUNK >= holds.length;
      const said = await link.run(JOIN, names, [
        ...[generation, owner, String(outbox.number), keys.windows(generation)],
        ...[fresh ? '1' : '0', last ? '1' : '0'],
        ...holds.slice(at, at + JOIN_CHUNK).flat(),
      ]);
      if (said === 'ok') continue;
      if (said === 'late') this.#lost = generation;
      this.#schedule(0);
      return false;
    }
    this.#joined = books;
    this.#everJoined = true;
    outbox.resume(books);
    logger.info('joined the limits that nodes share', { count: holds.length });
    return true;
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

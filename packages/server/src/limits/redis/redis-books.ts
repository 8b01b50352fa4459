import type { WindowState } from '../account-windows.ts';
import type { Budget } from '../budget.ts';
import type { BudgetAccount } from '../budget-account.ts';
import { type OpenHold, openHold } from '../limit-state.ts';
import { Audit } from './audit.ts';
import type { RedisBooksDeps } from './books-deps.ts';
import { RESERVE } from './decision-scripts.ts';
import { EarlierProcesses } from './earlier-processes.ts';
import { holdText, readHoldText } from './hold-text.ts';
import { type Books, Membership, TIMING } from './membership.ts';
import { type Ending, Outbox } from './outbox.ts';
import type { RedisHold } from './redis-hold.ts';
import { RedisKeys } from './redis-keys.ts';
import { RedisLink, RedisUnavailable } from './redis-link.ts';
import { WindowSums } from './window-sums.ts';

const DEADLINE_MS = 50;
const PATIENCE_MS = 2_000;

/** Asks Redis: keys and arguments of `RESERVE` as they are, or together with what else is to be decided. */
export type AskBooks = (link: RedisLink, keys: string[], args: string[]) => Promise<string[]>;

const askAlone: AskBooks = async (link, keys, args) => (await link.decide(RESERVE, keys, args)) as string[];

interface Attached {
  open(): RedisHold[];
  budget(id: string): Budget | null;
  /** Resolves false when it could not be done now. */
  rereadYoung(): Promise<boolean>;
}

/** The books in Redis: reading, writing, and making them anew. */
export class RedisBooks {
  readonly #deps: RedisBooksDeps;
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #owner: string;
  readonly #outbox: Outbox;
  readonly #membership: Membership;
  readonly #audit: Audit;
  readonly #asking = new Set<string>();
  #attached: Attached = {
    open: () => [],
    budget: () => null,
    rereadYoung: () => Promise.resolve(true),
  };
  #unheldMarked = false;
  #youngRead = false;
  readonly #earlier: EarlierProcesses;
  /** What windows hold. */
  readonly sums: WindowSums;

  constructor(deps: RedisBooksDeps) {
    this.#deps = deps;
    this.#unheldMarked = deps.unheldBefore;
    this.#keys = new RedisKeys(deps.namespace);
    this.#owner = `${deps.node}:${deps.newId()}`;
    this.#link = new RedisLink({
      url: deps.url,
      deadlineMs: deps.deadlineMs ?? DEADLINE_MS,
      patienceMs: deps.patienceMs ?? PATIENCE_MS,
      onChange: deps.onReachable,
    });
    const { keys } = this;
    this.#outbox = new Outbox(this.#link, {
      ...{ keys, owner: this.#owner, maxWaiting: deps.maxWaitingEnds },
      onTrouble: (kind) => (kind === 'lost' ? this.#membership.lost() : this.#membership.poke()),
    });
    const { ledger, logger } = deps;
    this.sums = new WindowSums({ link: this.#link, keys, ledger, logger, current: () => this.current });
    this.#earlier = new EarlierProcesses({
      ...deps,
      ...{ link: this.#link, keys, owner: this.#owner, budget: (id) => this.#attached.budget(id) },
    });
    this.#audit = new Audit({
      link: this.#link,
      holdsKey: (generation) => keys.holds(generation, this.#owner),
      open: () => this.#attached.open(),
      isAsking: (id) => this.#asking.has(id) || this.#outbox.has(id),
      release: (requestId, startedAtMs) => this.#outbox.push({ requestId, startedAtMs, amounts: [] }),
      lost: () => this.#membership.lost(),
    });
    this.#membership = new Membership({
      ...{ link: this.#link, keys, outbox: this.#outbox, owner: this.#owner },
      ...{ newId: deps.newId, logger: deps.logger, timing: { ...TIMING, ...deps.timing } },
      openHolds: () =>
        this.#attached
          .open()
          .map((hold) => [hold.requestId, holdText(hold, hold.counted)] as [string, string]),
      ledgerUpToNow: () => deps.ledger.upToNow(),
      mustBeginAnew: (generation) => this.#earlier.mustBeginAnew(generation),
      onOpen: (books) => this.#earlier.welcome(books),
      onBeat: (books) => this.#afterBeat(books),
    });
  }

  get keys(): RedisKeys {
    return this.#keys;
  }

  attach(attached: Attached): void {
    this.#attached = attached;
  }

  /** The books, when they can be asked. */
  get current(): Books | null {
    return this.#link.up ? this.#membership.books : null;
  }

  get clockSkewMs(): number {
    return this.#membership.clockSkewMs;
  }

  get counts(): { timeouts: number; errors: number; waitingEndings: number } {
    return { ...this.#link.counts, waitingEndings: this.#outbox.size };
  }

  /** Resolves when the books are open, or after a while without: the policies of the budgets hold then. */
  start(waitMs: number): Promise<void> {
    return this.#membership.start(waitMs);
  }

  /** Sends what is left, within a moment, and lets go. */
  async stop(waitMs = 2_000): Promise<void> {
    await this.drained(waitMs);
    await this.#membership.stop();
    this.#link.close();
  }

  /** Lets go at once, as a process that is killed does. */
  async abandon(): Promise<void> {
    this.#link.close();
    await this.#membership.stop();
  }

  /** Resolves true when every end is in the books. */
  async drained(waitMs: number): Promise<boolean> {
    const deadline = performance.now() + waitMs;
    while (this.#outbox.size > 0 && performance.now() < deadline) {
      this.#outbox.pump();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.#outbox.size === 0;
  }

  /** What scripts put before the names of budgets that have older requests, and of windows. */
  prefixes({ generation }: Books): [older: string, windows: string] {
    return [this.#keys.older(generation), this.#keys.windows(generation)];
  }

  /** Reads the ledger's sums of what counts with a window again, once it has all that ended here. */
  async reread(filed: { account: BudgetAccount; window: WindowState }): Promise<boolean> {
    return (await this.#deps.ledger.upToNow()()) && this.sums.reread(filed);
  }

  /** Requests passed that nobody counts: the books are made anew. */
  lost(): void {
    this.#membership.lost();
  }

  /** Asks for a decision. Null when there is none in time; then nothing stays held for long. */
  async decide(
    { generation }: Books,
    request: { requestId: string; replaces: boolean },
    question: { names: readonly string[]; args: readonly string[] },
    ask: AskBooks = askAlone,
  ): Promise<string[] | null> {
    const prefix = this.#keys.windows(generation);
    const keys = [
      this.#keys.state,
      this.#keys.holds(generation, this.#owner),
      ...question.names.map((name) => prefix + name),
    ];
    this.#asking.add(request.requestId);
    try {
      const answer = await ask(this.#link, keys, [generation, ...question.args]);
      if (answer[0] !== 'stale') return answer;
      this.#membership.poke();
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
      // Redis may have taken it all the same: given back, unless the request still holds what it had.
      if (!request.replaces)
        this.#outbox.push({
          requestId: request.requestId,
          startedAtMs: Number.MAX_SAFE_INTEGER,
          amounts: [],
        });
    } finally {
      this.#asking.delete(request.requestId);
    }
    return null;
  }

  ended(ending: Ending): void {
    this.#outbox.push(ending);
  }

  /** A request was let through that the books do not know. */
  unheld(): void {
    if (this.#unheldMarked) return;
    this.#unheldMarked = true;
    this.#deps.unheldMark.set();
  }

  /** Holds of all nodes; of this one alone while Redis cannot be asked. */
  async allHolds(): Promise<OpenHold[]> {
    const books = this.current;
    if (books === null) return this.#attached.open().map(openHold);
    try {
      const owners = (await this.#link.command('SMEMBERS', this.#keys.joined(books.generation))) as string[];
      const lists = await Promise.all(owners.map((owner) => this.#earlier.holdsOf(books, owner)));
      return lists.flat().map(([requestId, text]) => {
        const { startedAtMs, clampedTo, parts } = readHoldText(text);
        return { requestId, startedAtMs, clampedTo, parts };
      });
    } catch (error) {
      if (error instanceof RedisUnavailable) return this.#attached.open().map(openHold);
      throw error;
    }
  }

  /** Once in the life of a process, beside the heartbeats; what fails is tried again with one of the next. */
  #readYoung(): void {
    if (this.#youngRead) return;
    this.#youngRead = true;
    this.#attached.rereadYoung().then(
      (done) => {
        this.#youngRead = done;
      },
      (error: unknown) => {
        this.#youngRead = false;
        this.#deps.logger.warn('what young budgets have spent could not be read; it is tried again', {
          error,
        });
      },
    );
  }

  async #afterBeat(books: Books): Promise<void> {
    this.#readYoung();
    await this.#audit.beat(books);
    if (!this.#unheldMarked || this.#outbox.size > 0) return;
    if (this.#attached.open().some(({ counted }) => !counted)) return;
    this.#unheldMarked = false;
    this.#deps.unheldMark.clear();
  }
}

import type { Budget, RequestScopes, Spend } from '../budget.ts';
import { type BudgetAccount, spendOf, type WindowState } from '../budget-account.ts';
import { BudgetIndex } from '../budget-index.ts';
import { windowAt } from '../budget-window.ts';
import { type OpenHold, openHold } from '../limit-state.ts';
import { Audit } from './audit.ts';
import { holdText, readHoldText, wholeText, windowName } from './hold-text.ts';
import { type Books, Membership, type MembershipDeps, type MembershipTiming, TIMING } from './membership.ts';
import { type Ending, endingArguments, Outbox } from './outbox.ts';
import { forgetAt } from './question.ts';
import type { RedisHold } from './redis-hold.ts';
import { RedisKeys } from './redis-keys.ts';
import { RedisLink, RedisUnavailable } from './redis-link.ts';
import { RESERVE, RESOLVE, SET_BEFORE } from './scripts.ts';

/** A request that has ended, sub-calls included. */
export interface LedgerRequest {
  id: string;
  startedAtMs: number;
  scopes: RequestScopes;
  spend: Spend;
}

/** What the ledger says, as far as the books need it. */
export interface LedgerSums {
  /** Spent in the budget's scope by requests that started in `[startMs, endMs)`. */
  spentIn(budget: Budget, range: { startMs: number; endMs: number }): Promise<number>;
  /** These requests as their rows have them; those without rows are left out. */
  requests(ids: readonly string[]): Promise<LedgerRequest[]>;
  /** Resolves true when every request of this process that has ended is in the store; false when that takes too long. */
  caughtUp(): Promise<boolean>;
}

/** A note beside the journal, which outlives the process. */
export interface UnheldMark {
  set(): void;
  clear(): void;
}

export interface RedisBooksDeps {
  url: string;
  namespace: string;
  /** This installation of the program; stays the same over restarts. */
  node: string;
  newId(): string;
  logger: MembershipDeps['logger'];
  ledger: LedgerSums;
  unheldMark: UnheldMark;
  /** True when the last process of this node ended with requests under way. */
  leftBehind: boolean;
  /** True when it had let requests through that the books may not know. */
  unheldBefore: boolean;
  deadlineMs?: number;
  patienceMs?: number;
  timing?: Partial<MembershipTiming>;
  /** Where it begins to be worth telling, and ends. */
  onReachable(up: boolean): void;
}

const DEADLINE_MS = 50;
const PATIENCE_MS = 2_000;
/** Reading the ledger's sum may take longer than a decision, but not for ever. */
const LOAD_MS = 2_000;
const RESOLVE_CHUNK = 200;
/** Nodes learn of a new budget within a second; it counts from a moment when all of them know it. */
export const BUDGET_BEGINS_AFTER_MS = 2_000;

interface Attached {
  open(): RedisHold[];
  budget(id: string): Budget | null;
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
  readonly #loading = new Map<string, Promise<boolean>>();
  #attached: Attached = { open: () => [], budget: () => null };
  #unheldMarked = false;
  #leftBehind: boolean;

  constructor(deps: RedisBooksDeps) {
    this.#deps = deps;
    this.#leftBehind = deps.leftBehind || deps.unheldBefore;
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
      ...{ keys, owner: this.#owner },
      onTrouble: (kind) => (kind === 'lost' ? this.#membership.lost() : this.#membership.poke()),
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
      ledgerCaughtUp: () => deps.ledger.caughtUp(),
      mustBeginAnew: (generation) => this.#mustBeginAnew(generation),
      onOpen: (books) => this.#welcome(books),
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

  windows({ generation }: Books): string {
    return this.#keys.windows(generation);
  }

  /** From when on requests of a budget are counted one by one; earlier ones are summed by the ledger. */
  countsFrom(account: BudgetAccount, books: Books): number {
    return Math.max(books.fromMs, account.countsFromMs);
  }

  /** Asks for a decision. Null when there is none in time; then nothing stays held for long. */
  async decide(
    { generation }: Books,
    request: { requestId: string; replaces: boolean },
    names: readonly string[],
    args: readonly string[],
  ): Promise<string[] | null> {
    const prefix = this.#keys.windows(generation);
    const keys = [
      this.#keys.state,
      this.#keys.holds(generation, this.#owner),
      this.#keys.older(generation),
      ...names.map((name) => prefix + name),
    ];
    this.#asking.add(request.requestId);
    try {
      const answer = (await this.#link.decide(RESERVE, keys, [generation, ...args])) as string[];
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

  setBefore(budget: Budget, window: WindowState, amount: number): void {
    const books = this.current;
    if (books === null) return; // read from the ledger when the window is first asked about
    this.#putBefore(books, budget, window, { amount, onlyIfNone: false }).catch(() => undefined);
  }

  /** Reads the ledger's sum of a window into the books; once, however many requests wait for it. */
  load(account: BudgetAccount, window: WindowState): Promise<boolean> {
    const books = this.current;
    if (books === null) return Promise.resolve(false);
    const name = `${books.generation} ${windowName(account.budget.id, window.startMs)}`;
    const running = this.#loading.get(name);
    if (running) return running;
    const loading = within(LOAD_MS, this.#load(books, account, window))
      .catch((error: unknown) => {
        this.#deps.logger.warn('what a budget has spent could not be read for the shared books', { error });
        return false;
      })
      .finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  async #load(books: Books, account: BudgetAccount, window: WindowState): Promise<boolean> {
    const { budget } = account;
    const fromMs = this.countsFrom(account, books);
    const endMs = Math.min(window.endMs, fromMs);
    const older = account.countsFromMs > books.fromMs ? [] : await this.#older(books);
    const spent = await this.#deps.ledger.spentIn(budget, { startMs: window.startMs, endMs });
    let counted = 0;
    const covers = new BudgetIndex([account]);
    for (const part of chunks(older, RESOLVE_CHUNK)) {
      for (const { startedAtMs, scopes, spend } of await this.#deps.ledger.requests(part)) {
        if (startedAtMs < window.startMs || startedAtMs >= endMs) continue;
        if (covers.matching(scopes).length > 0) counted += spendOf(budget, spend);
      }
    }
    return this.#putBefore(books, budget, window, { amount: spent - counted, onlyIfNone: true });
  }

  async #older({ generation }: Books): Promise<string[]> {
    return (await this.#link.command('SMEMBERS', this.#keys.older(generation))) as string[];
  }

  async #putBefore(
    books: Books,
    budget: Budget,
    window: WindowState,
    { amount, onlyIfNone }: { amount: number; onlyIfNone: boolean },
  ): Promise<boolean> {
    const key = this.windows(books) + windowName(budget.id, window.startMs);
    const args = [books.generation, wholeText(amount), onlyIfNone ? '1' : '0', forgetAt(window)];
    return (await this.#link.run(SET_BEFORE, [this.#keys.state, key], args)) === 'ok';
  }

  /** What windows have used and hold; null for each that cannot be told now. */
  async read(
    windows: readonly { account: BudgetAccount; window: WindowState }[],
  ): Promise<({ used: number; held: number } | null)[]> {
    const books = this.current;
    if (books === null) return windows.map(() => null);
    return Promise.all(windows.map(({ account, window }) => this.#readOne(books, account, window)));
  }

  async #readOne(
    books: Books,
    account: BudgetAccount,
    window: WindowState,
  ): Promise<{ used: number; held: number } | null> {
    const key = this.windows(books) + windowName(account.budget.id, window.startMs);
    const sums = async () =>
      (await this.#link.command('HMGET', key, 'before', 'settled', 'held')) as (string | null)[];
    try {
      let [before, settled, held] = await sums();
      if (before === null && window.startMs < this.countsFrom(account, books)) {
        if (!(await this.load(account, window))) return null;
        [before, settled, held] = await sums();
      }
      return { used: Number(before ?? 0) + Number(settled ?? 0), held: Number(held ?? 0) };
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  /** Holds of all nodes; of this one alone while Redis cannot be asked. */
  async allHolds(): Promise<OpenHold[]> {
    const books = this.current;
    if (books === null) return this.#attached.open().map(openHold);
    try {
      const owners = (await this.#link.command('SMEMBERS', this.#keys.joined(books.generation))) as string[];
      const lists = await Promise.all(owners.map((owner) => this.#holdsOf(books, owner)));
      return lists.flat().map(([requestId, text]) => {
        const { startedAtMs, clampedTo, parts } = readHoldText(text);
        return { requestId, startedAtMs, clampedTo, parts };
      });
    } catch (error) {
      if (error instanceof RedisUnavailable) return this.#attached.open().map(openHold);
      throw error;
    }
  }

  async #holdsOf({ generation }: Books, owner: string): Promise<[id: string, text: string][]> {
    return pairs(await this.#link.command('HGETALL', this.#keys.holds(generation, owner)));
  }

  /** After a crash the ledger may have rows that books of before the crash do not know: those are made anew. */
  async #mustBeginAnew(generation: string): Promise<boolean> {
    if (!this.#leftBehind) return false;
    const known = await this.#link.command('SCARD', this.#keys.processes(generation, this.#deps.node));
    // Where an earlier process is known, what it held is resolved one by one; what was never held cannot be.
    const anew = Number(known) === 0 || this.#deps.unheldBefore;
    if (anew) this.#leftBehind = false;
    return anew;
  }

  /** Settles what earlier processes of this node still hold, by their rows, and removes books nobody uses any more. */
  async #welcome(books: Books): Promise<void> {
    const processes = this.#keys.processes(books.generation, this.#deps.node);
    const earlier = (await this.#link.command('SMEMBERS', processes)) as string[];
    await this.#link.command('SADD', processes, this.#owner);
    for (const owner of earlier) {
      if (owner === this.#owner) continue;
      await this.#resolve(books, owner);
      await this.#link.command('ZREM', this.#keys.nodes, owner);
      await this.#link.command('SREM', processes, owner);
    }
    await this.#forgetOthers(books);
  }

  async #resolve(books: Books, owner: string): Promise<void> {
    const { generation } = books;
    const expired = this.#keys.expired(generation, owner);
    const held = await this.#holdsOf(books, owner);
    const charged = pairs(await this.#link.command('HGETALL', expired));
    for (const part of chunks([...held, ...charged], RESOLVE_CHUNK)) {
      const rows = await this.#deps.ledger.requests(part.map(([id]) => id));
      const spent = new Map(rows.map((row) => [row.id, row.spend]));
      const args = part.flatMap(([id, text]) =>
        endingArguments(this.#endingOf(id, text, spent.get(id)), false),
      );
      const keys = [this.#keys.state, this.#keys.holds(generation, owner), expired];
      await this.#link.run(RESOLVE, keys, [generation, this.windows(books), ...args]);
    }
    if (held.length + charged.length > 0)
      this.#deps.logger.info('what an earlier process held is settled by its rows', {
        count: held.length + charged.length,
      });
  }

  #endingOf(requestId: string, text: string, spend: Spend | undefined): Ending {
    const { startedAtMs, parts } = readHoldText(text);
    if (spend === undefined) return { requestId, startedAtMs, amounts: [] }; // it was never sent
    const amounts = parts.flatMap(({ budgetId, windowStartMs }) => {
      const budget = this.#attached.budget(budgetId);
      if (budget === null) return [];
      const { endMs } = windowAt(windowStartMs, budget);
      const forgetAtMs = forgetAt({ startMs: windowStartMs, endMs, settled: 0, before: 0, held: 0 });
      return [
        {
          window: windowName(budgetId, windowStartMs),
          amount: wholeText(spendOf(budget, spend)),
          forgetAtMs,
        },
      ];
    });
    return { requestId, startedAtMs, amounts };
  }

  async #forgetOthers({ generation }: Books): Promise<void> {
    let cursor = '0';
    do {
      const found = await this.#link.command('SCAN', cursor, 'MATCH', this.#keys.everything, 'COUNT', '500');
      const [next, keys] = found as [string, string[]];
      const old = keys.filter((key) => {
        const of = this.#keys.generationOf(key);
        return of !== null && of !== generation;
      });
      if (old.length > 0) await this.#link.command('UNLINK', ...old);
      cursor = next;
    } while (cursor !== '0');
  }

  async #afterBeat(books: Books): Promise<void> {
    await this.#audit.beat(books);
    if (!this.#unheldMarked || this.#outbox.size > 0) return;
    if (this.#attached.open().some(({ counted }) => !counted)) return;
    this.#unheldMarked = false;
    this.#deps.unheldMark.clear();
  }
}

function pairs(flat: unknown): [string, string][] {
  const list = flat as string[];
  return chunks(list, 2).map(([key = '', value = '']) => [key, value]);
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

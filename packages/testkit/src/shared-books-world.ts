import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '@tallygate/server/kernel/clock';
import { silentLogger } from '@tallygate/server/kernel/logger';
import { used } from '@tallygate/server/limits/account-windows';
import type { Budget, UpperBound } from '@tallygate/server/limits/budget';
import type { Hold } from '@tallygate/server/limits/budget-hold';
import type { LedgerReads, LedgerSums } from '@tallygate/server/limits/redis/books-deps';
import type { MembershipTiming } from '@tallygate/server/limits/redis/membership';
import { RedisBooks } from '@tallygate/server/limits/redis/redis-books';
import { RedisLimits } from '@tallygate/server/limits/redis/redis-limits';
import type { CuttableProxy } from './cuttable-proxy.ts';
import { eventually } from './eventually.ts';
import { heldBy, scopesOf, spendOfCost, TestLedger, type TestRow } from './limit-play.ts';

const SCOPES = scopesOf('p1');

export const costs = (amount: number): UpperBound => ({
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => amount,
  tokens: () => amount,
  weightedTokens: () => amount,
});

/** What one node wrote waits in its journal until it is carried on, which may happen in the middle of any question. */
class Journal {
  readonly #store: TestLedger;
  readonly #waiting: TestRow[] = [];
  #written = 0;
  /** While true the ledger takes nothing in. */
  stuck = false;

  constructor(store: TestLedger) {
    this.#store = store;
  }

  write(row: TestRow): void {
    this.#waiting.push(row);
    this.#written += 1;
  }

  carry(count: number): void {
    if (this.stuck) return;
    for (const row of this.#waiting.splice(0, count)) this.#store.rows.set(row.id, row);
  }

  /** How many rows have reached the store. */
  get carried(): number {
    return this.#written - this.#waiting.length;
  }

  get written(): number {
    return this.#written;
  }
}

/** One node: its books, its journal, and what of it survives a kill. */
export class BooksNode {
  readonly proxy: CuttableProxy;
  readonly journal: Journal;
  readonly id = randomUUID();
  books!: RedisBooks;
  limits!: RedisLimits;
  marked = false;
  cut = false;

  constructor(proxy: CuttableProxy, ledger: TestLedger) {
    this.proxy = proxy;
    this.journal = new Journal(ledger);
  }
}

export interface BooksWorldOptions {
  timing: MembershipTiming;
  deadlineMs?: number;
  maxWaitingEnds?: number;
}

/** Nodes that share books through a Redis which they can lose, over a ledger that takes its time. */
export class BooksWorld {
  readonly ledger = new TestLedger();
  readonly nodes: BooksNode[] = [];
  readonly budgets: Budget[] = [];
  readonly open: { hold: Hold; node: BooksNode; amount: number }[] = [];
  spent = 0;
  readonly #namespace = randomUUID();
  readonly #options: BooksWorldOptions;
  readonly #made: string[] = [];
  #ids = 0;

  constructor(options: BooksWorldOptions) {
    this.#options = options;
  }

  async start(proxies: readonly CuttableProxy[], budgets: readonly Budget[]): Promise<void> {
    this.budgets.push(...budgets);
    for (const proxy of proxies) {
      proxy.heal();
      this.nodes.push(new BooksNode(proxy, this.ledger));
    }
    await Promise.all(this.nodes.map((node) => this.#startNode(node, false)));
  }

  async #startNode(node: BooksNode, leftBehind: boolean): Promise<void> {
    const { timing, deadlineMs = 2_000, maxWaitingEnds = 1_000 } = this.#options;
    node.books = new RedisBooks({
      url: `redis://127.0.0.1:${node.proxy.port}`,
      ...{ namespace: this.#namespace, node: node.id, newId: () => randomUUID(), logger: silentLogger },
      ledger: this.#asked(node.journal),
      unheldMark: {
        set: () => {
          node.marked = true;
        },
        clear: () => {
          node.marked = false;
        },
      },
      ...{ leftBehind, unheldBefore: node.marked, deadlineMs, patienceMs: 2_000, timing },
      maxWaitingEnds,
      onReachable: () => undefined,
    });
    node.limits = new RedisLimits(node.books, systemClock);
    for (const budget of this.budgets)
      node.limits.add(budget, { nowMs: Date.now(), countsFromMs: budget.createdAtMs });
    await node.books.start(node.cut ? 0 : 20_000);
  }

  #asked(journal: Journal): LedgerSums {
    const asked = this.ledger.asked();
    const between = async <T>(ask: () => Promise<T>): Promise<T> => {
      await turn();
      journal.carry(1);
      const answer = await ask();
      journal.carry(1);
      await turn();
      return answer;
    };
    const around = (reads: LedgerReads): LedgerReads => ({
      spentIn: (budget, range) => between(() => reads.spentIn(budget, range)),
      requests: (ids) => between(() => reads.requests(ids)),
    });
    return {
      requests: (ids) => between(() => asked.requests(ids)),
      atOneMoment: (work) => asked.atOneMoment((reads) => work(around(reads))),
      upToNow: () => {
        const target = journal.written;
        return async () => {
          await turn();
          journal.carry(2);
          return journal.carried >= target;
        };
      },
    };
  }

  async ask(node: BooksNode, amount: number): Promise<void> {
    const ask = { id: `r${this.#ids++}`, startedAtMs: Date.now(), scopes: SCOPES };
    const decision = await node.limits.reserve(ask, () => costs(amount));
    this.open.push({ hold: heldBy(decision), node, amount });
  }

  settle(pick: number, cost: number): void {
    const [entry] = this.open.splice(pick % Math.max(1, this.open.length), 1);
    if (entry === undefined) return;
    this.#write(entry, cost);
    entry.hold.settle(spendOfCost(cost));
  }

  #write(
    { hold: { requestId: id, startedAtMs }, node }: { hold: Hold; node: BooksNode },
    cost: number,
  ): void {
    this.spent += cost;
    node.journal.write({ id, startedAtMs, scopes: SCOPES, spend: spendOfCost(cost) });
  }

  async cut(node: BooksNode): Promise<void> {
    node.cut = true;
    node.proxy.refuse();
    await eventually('the node is cut off', () => node.books.current === null, 10_000);
  }

  async heal(node: BooksNode, waits = true): Promise<void> {
    node.cut = false;
    node.proxy.heal();
    if (waits) await this.up(node);
  }

  up({ books }: BooksNode): Promise<unknown> {
    return eventually('the books are open', () => books.current !== null, 20_000);
  }

  /** Resolves when a node uses other books than before. */
  async anew({ books }: BooksNode, cause: () => Promise<unknown>): Promise<void> {
    const before = books.current?.generation;
    await cause();
    await eventually(
      'new books',
      () => books.current !== null && books.current.generation !== before,
      20_000,
    );
  }

  /** As `kill -9` and a start: what was on its way counts at its bound, by its row; the journal is carried on first. */
  async crash(node: BooksNode): Promise<void> {
    await node.books.abandon();
    for (const entry of this.open.filter((one) => one.node === node)) this.#write(entry, entry.amount);
    this.open.splice(0, this.open.length, ...this.open.filter((one) => one.node !== node));
    node.journal.carry(Number.POSITIVE_INFINITY);
    await this.#startNode(node, true);
  }

  /** A budget that one node makes and the others do not know yet. */
  make(node: BooksNode, budget: Budget): void {
    this.budgets.push(budget);
    this.#made.push(budget.id);
    node.limits.add(budget, { nowMs: Date.now(), countsFromMs: budget.createdAtMs });
  }

  /** What a node learns of the others' budgets. */
  learn(node: BooksNode, nowMs = Date.now()): void {
    for (const budget of this.budgets) if (!node.limits.has(budget.id)) node.limits.learn(budget, nowMs);
  }

  /** What a node says of each budget, once every end that can be told is: spent and held. */
  async said({ limits }: BooksNode): Promise<[spent: number, held: number][]> {
    for (const { cut, books } of this.nodes) if (!cut && books.current !== null) await books.drained(10_000);
    await limits.refresh(Date.now());
    return this.budgets.map(({ id }) => {
      const window = limits.status(id, Date.now())?.window;
      return window === undefined ? [-1, -1] : [used(window), window.held];
    });
  }

  /** Everybody is back, everything ends, and budgets are read as those who know them late do: then the books are the ledger. */
  async settled(): Promise<void> {
    for (const node of this.nodes) {
      node.journal.stuck = false;
      this.learn(node);
      await this.heal(node);
    }
    while (this.open.length > 0) this.settle(0, 7);
    for (const { journal } of this.nodes) journal.carry(Number.POSITIVE_INFINITY);
    for (const node of this.nodes)
      for (const id of this.#made)
        await eventually('it is read', () => node.limits.reread(id, Date.now()), 20_000);
  }

  /** @returns what was said in the end where it is not what was spent; null when it is */
  async disagreement(): Promise<unknown> {
    await this.settled();
    const wanted = JSON.stringify(this.budgets.map(() => [this.spent, 0]));
    for (const node of this.nodes) {
      let said = '';
      const agrees = async (): Promise<boolean> => {
        if (node.books.current === null || !(await node.books.drained(0))) return false;
        said = JSON.stringify(await this.said(node));
        return said === wanted;
      };
      const isAgreed = await eventually('the books are the ledger', agrees, 5_000).catch(() => false);
      if (!isAgreed) return { said, wanted };
    }
    return null;
  }

  async stop(): Promise<void> {
    for (const { books } of this.nodes) await books.abandon();
  }
}

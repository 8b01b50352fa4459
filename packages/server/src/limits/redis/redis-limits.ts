import type { Clock } from '../../kernel/clock.ts';
import { LiveList } from '../../kernel/live-list.ts';
import type { Budget, Spend, UpperBound } from '../budget.ts';
import { BudgetAccount, spendOf } from '../budget-account.ts';
import { NO_BOUND } from '../budget-decision.ts';
import type { Hold, HoldBooks } from '../budget-hold.ts';
import { budgetIndex } from '../budget-index.ts';
import type {
  BudgetChange,
  BudgetStatus,
  Decision,
  OpenHold,
  RequestAsk,
  Reservation,
  SharedLimitState,
} from '../limit-state.ts';
import { holdText, wholeText, windowName } from './hold-text.ts';
import type { Books } from './membership.ts';
import { forgetAt, Question } from './question.ts';
import type { AskBooks, RedisBooks } from './redis-books.ts';
import { RedisHold } from './redis-hold.ts';
import { KNOWN_WITHIN_MS, summedUntil } from './window-sums.ts';

/** Sums that have to be read first, and an output limit that is lowered, cost another round. */
const MAX_ROUNDS = 5;
/** No request runs longer. */
const YOUNG_MS = 86_400_000;

/**
 * Budgets whose books are in Redis, so that several nodes share them. One script decides each request in
 * all its budgets at once; what requests came to follows in batches. While Redis is out of reach each budget's own
 * policy decides; what was let through meanwhile is counted when it is back.
 */
export class RedisLimits implements SharedLimitState, HoldBooks {
  readonly #books: RedisBooks;
  readonly #clock: Clock;
  readonly #accounts = new Map<string, BudgetAccount>();
  readonly #open = new LiveList<RedisHold>();
  #index = budgetIndex<BudgetAccount>([]);
  #unheld = 0;

  constructor(books: RedisBooks, clock: Clock) {
    this.#books = books;
    this.#clock = clock;
    books.attach({
      open: () => this.#open.toArray(),
      budget: (id) => this.#accounts.get(id)?.budget ?? null,
      rereadYoung: () => this.#rereadYoung(),
    });
  }

  get active(): boolean {
    return this.#accounts.size > 0;
  }

  /** False while the books cannot be asked: then the policies of the budgets decide. */
  get reachable(): boolean {
    return this.#books.current !== null;
  }

  /** Requests that were let through although the books could not be asked, since the start. */
  get unheld(): number {
    return this.#unheld;
  }

  add(budget: Budget, { nowMs, countsFromMs }: { nowMs: number; countsFromMs: number }): void {
    // Where the clock of the node that made it is ahead it counts all the same.
    this.#accounts.set(budget.id, new BudgetAccount(budget, nowMs, Math.min(countsFromMs, nowMs)));
    this.#index = budgetIndex(this.#accounts.values());
  }

  update(id: string, change: BudgetChange): void {
    const account = this.#accounts.get(id);
    if (account) account.budget = { ...account.budget, ...change };
  }

  remove(id: string): void {
    this.#accounts.delete(id);
    this.#index = budgetIndex(this.#accounts.values());
  }

  has(id: string): boolean {
    return this.#accounts.has(id);
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#accounts.keys()) if (!ids.has(id)) this.remove(id);
  }

  /** The books read the ledger by themselves. */
  setBefore(): void {}

  /** Here a budget never counts requests that started before it: another node may be serving one. */
  countAll(): void {}

  learn(budget: Budget, nowMs: number): void {
    this.add(budget, { nowMs, countsFromMs: budget.createdAtMs });
    // What passed here since is summed by nobody.
    if (nowMs >= budget.createdAtMs + KNOWN_WITHIN_MS) this.#books.lost();
  }

  async reread(id: string, nowMs: number): Promise<boolean> {
    const account = this.#accounts.get(id);
    return account === undefined || this.#books.reread({ account, window: account.windowFor(nowMs) });
  }

  /** What was on its way when a budget was made may have ended on a node that is gone, or in an earlier process. */
  async #rereadYoung(): Promise<boolean> {
    const nowMs = this.#clock.now();
    for (const { budget } of [...this.#accounts.values()])
      if (budget.createdAtMs > nowMs - YOUNG_MS && !(await this.reread(budget.id, nowMs))) return false;
    return true;
  }

  status(id: string, nowMs: number): BudgetStatus | null {
    const account = this.#accounts.get(id);
    if (account === undefined) return null;
    return { budget: account.budget, window: account.standing(account.windowFor(nowMs)) };
  }

  async refresh(nowMs: number): Promise<void> {
    const accounts = [...this.#accounts.values()];
    const filed = accounts.map((account) => ({ account, window: account.windowFor(nowMs) }));
    const sums = await this.#books.sums.read(filed);
    for (const [index, { account, window }] of filed.entries()) {
      const sum = sums[index] ?? null;
      if (sum !== null) account.take(window, sum.used, sum.held);
    }
  }

  async holds(): Promise<OpenHold[]> {
    const holds = await this.#books.allHolds();
    return holds.sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  reserve(ask: RequestAsk, bound: () => UpperBound): Decision | Promise<Decision> {
    const question = this.question(ask, bound);
    if (question === null) ask.replaces?.release();
    return question instanceof Question ? this.decide(question) : question;
  }

  /** What a request asks of its budgets; the decision itself where Redis has not to be asked for it. */
  question(ask: RequestAsk, bound: () => UpperBound): Question | Decision {
    const accounts = this.#index
      .matching(ask.scopes)
      .filter((account) => ask.startedAtMs >= account.countsFromMs);
    if (accounts.length === 0) return null;
    // Slices that began since the request did are part of what it is judged by.
    for (const account of accounts) if (account.budget.sliding) account.windowFor(this.#clock.now());
    const needsBound = accounts.some(({ budget }) => budget.measure !== 'requests');
    const question = new Question(ask, accounts, needsBound ? bound() : NO_BOUND);
    const refusal = question.unpriced();
    return refusal === null ? question : { refusal };
  }

  /**
   * Asks Redis, as often as that takes.
   * @param askBooks how; null is the decision where it answers `waits`
   */
  decide(question: Question, askBooks?: AskBooks): Decision | Promise<Decision> {
    return this.#books.current === null ? this.#withoutBooks(question) : this.#ask(question, askBooks);
  }

  ended(hold: Hold, spend: Spend | null): void {
    this.#open.remove(hold as RedisHold);
    const { requestId, startedAtMs, parts } = hold;
    for (const { account, window, amount } of parts) {
      window.held = Math.max(0, window.held - amount);
      if (spend !== null) window.settled += spendOf(account.budget, spend);
    }
    const amounts =
      spend === null
        ? []
        : parts
            .filter(({ account }) => this.#accounts.has(account.budget.id))
            .map(({ account, window }) => ({
              window: windowName(account.budget.id, window.startMs),
              amount: wholeText(spendOf(account.budget, spend)),
              forgetAtMs: forgetAt(account.budget, window),
              madeAtMs: account.budget.createdAtMs,
            }));
    const isUnasked = hold instanceof RedisHold && !hold.counted;
    this.#books.ended({ requestId, startedAtMs, isUnasked, amounts });
  }

  async #ask(question: Question, askBooks?: AskBooks): Promise<Decision> {
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const books = this.#books.current;
      const answer = books === null ? null : await this.#askOnce(question, books, askBooks);
      if (answer === null) break;
      if (answer[0] === 'waits') return null;
      const decision = await this.#take(question, answer, round === MAX_ROUNDS);
      if (decision !== 'again') return decision;
    }
    return this.#withoutBooks(question);
  }

  async #take(question: Question, answer: string[], last: boolean): Promise<Reservation | 'again'> {
    const [said, at, leaves, ...sums] = answer;
    if (said === 'load') {
      const missing = new Set(answer.slice(1));
      const parts = question.parts.filter((_, index) => missing.has(String(index)));
      const loaded = await Promise.all(parts.map((part) => this.#books.sums.load(part)));
      return loaded.every(Boolean) ? 'again' : this.#withoutBooks(question);
    }
    for (const [index, { account, window }] of question.parts.entries())
      account.take(window, Number(sums[index * 2]), Number(sums[index * 2 + 1]));
    if (said === 'ok') return this.#granted(question);
    const refusal = question.refusalOf(Number(at), Number(leaves));
    // What is left is known now: a budget that clamps may find a lower output limit that fits.
    return refusal === null || (!last && question.reckon()) ? 'again' : { refusal };
  }

  /** Null when there is no answer in time. */
  #askOnce(question: Question, books: Books, askBooks?: AskBooks): Promise<string[] | null> {
    const { ask } = question;
    const hold = { ...ask, clampedTo: question.clampedTo, parts: question.parts };
    const args = [
      ...[ask.id, holdText(hold, true), ask.replaces ? '1' : '0', ...this.#books.prefixes(books)],
      ...question.arguments(({ budget }) => summedUntil(budget, books.fromMs)),
    ];
    return this.#books.decide(
      books,
      { requestId: ask.id, replaces: Boolean(ask.replaces) },
      { names: question.names, args },
      askBooks,
    );
  }

  #granted(question: Question): Reservation {
    for (const { window, amount } of question.parts) window.held += amount;
    return { hold: this.#hold(question, true) };
  }

  /** What each budget's policy says while the books are out of reach. */
  #withoutBooks(question: Question): Reservation {
    const closed = question.accounts.find(
      ({ budget }) => budget.mode !== 'soft' && (budget.onOutage === 'closed' || budget.limit === 0),
    );
    if (closed) return { unavailable: closed.budget };
    this.#unheld += 1;
    this.#books.unheld();
    return { hold: this.#hold(question, false) };
  }

  #hold({ ask, clampedTo, parts }: Question, counted: boolean): RedisHold {
    const replaced = ask.replaces;
    if (replaced?.end()) this.#open.remove(replaced as RedisHold);
    const request = { id: ask.id, startedAtMs: ask.startedAtMs, clampedTo };
    const hold = new RedisHold(request, parts, this, { counted, madeAtMs: this.#clock.monotonicMs() });
    this.#open.add(hold);
    return hold;
  }
}

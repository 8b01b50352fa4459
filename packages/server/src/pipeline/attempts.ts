import type { IncomingMessage } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { AccountPool } from '../pool/account-pool.ts';
import type { Verdict } from '../pool/judge-answer.ts';
import type { PoolAccount } from '../pool/pool.ts';
import { readInstant } from '../pool/rate-limit-headers.ts';
import { type AimAt, candidatesOf, pickFor } from './aim.ts';
import { attemptRow } from './attempt-rows.ts';
import { type Aim, type Call, forgetRequest } from './call.ts';
import type { ExchangeFacts } from './exchange-facts.ts';
import { modelAllowed } from './key-limits.ts';
import type { Outcome } from './outcome.ts';
import { onLink } from './routing.ts';
import { mayBeBilled } from './stages/conservative.ts';

/** The one policy of trying again (CF-07). */
export interface RetryPolicy {
  /** How often a call may go round the accounts again; 0 turns off moving to another account, too. */
  attempts: number;
  delayMs: number;
  backoff: number;
  /** Counted from the arrival of the request: no attempt starts later. */
  deadlineMs: number;
}

export interface AttemptDeps {
  pool: AccountPool;
  retry: RetryPolicy;
  clock: Clock;
  /** From 0 to 1, for jitter. */
  random(): number;
  aim: AimAt;
  /**
   * Moves what budgets keep back to the account that the call names now; false when they have no room for it. Limits
   * that several processes share answer later.
   */
  moveHold(call: Call): boolean | Promise<boolean>;
}

/** How an attempt came to nothing. */
export interface AttemptFailure {
  outcome: Outcome;
  /** Body of a refusal, where there is one. */
  body: string | null;
  /** False for failures that the same account would only repeat. */
  mayRepeat: boolean;
}

/** Until when an answer waits, so that a failure can be made good: not at all, for its first events, or its content. */
export type Hold = 'none' | 'first-events' | 'content';

/** Where the next attempt goes. */
interface Next {
  account: PoolAccount;
  chosenBy: string;
  delayMs: number;
  /** What of the call changes beside the account, when a rule's next link serves. */
  change: Partial<Call>;
}

const NO_LIMITS: readonly string[] = [];
/** A wait longer than this is the client's to decide about. */
const MAX_WAIT_MS = 15_000;

/**
 * The attempts of one call: tells the pool what each one showed, and decides whether and where the next one goes.
 * A free account is tried at once; only a new round over accounts that stumbled waits, longer each time.
 */
export class Attempts {
  readonly #call: Call;
  readonly #request: IncomingMessage;
  readonly #deps: AttemptDeps;
  #tried: PoolAccount[] = [];
  /** Of the tried ones, those that another round would find no better. */
  #hopeless: PoolAccount[] = [];
  /** Accounts of later links that the request cannot be translated for. */
  readonly #unfit: PoolAccount[] = [];
  #round = 0;
  #verdict: Verdict = 'transient';
  #status = 0;
  #limits: readonly string[] = NO_LIMITS;
  #counted: PoolAccount | null = null;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  /** The account whose credential is being renewed for this call: once each. */
  #renewed: PoolAccount | null = null;
  #again = false;

  constructor(call: Call, request: IncomingMessage, deps: AttemptDeps) {
    this.#call = call;
    this.#request = request;
    this.#deps = deps;
  }

  /** An attempt is dispatched. */
  begin(): void {
    const call = this.#call;
    call.waiting = false;
    this.#verdict = 'transient';
    this.#status = 0;
    this.#limits = NO_LIMITS;
    this.#again = false;
    this.#counted = call.account;
    call.account.state.inFlight += 1;
    call.account.state.uses += 1;
  }

  /** True when another attempt may follow if this one comes to nothing. */
  mayGoOn(): boolean {
    const { retry, clock } = this.#deps;
    // The client's own credential is for the one account that its rule led to.
    if (this.#ownKey) return false;
    return retry.attempts > 0 && clock.now() - this.#call.startedAtMs < retry.deadlineMs;
  }

  /**
   * How long it is worth holding an answer back. Where another account could serve, until the content. Where there is
   * only this one, its first events show what is wrong with it, unless it stumbled a moment ago: clients of a single
   * account that is well wait for nothing.
   */
  hold(): Hold {
    if (!this.mayGoOn()) return 'none';
    if (this.#linksLeft() > 0) return 'content';
    const left = this.#left();
    const stumbled = this.#tried.length > 0 || this.#call.account.state.failures > 0;
    return left === 'this' && !stumbled ? 'first-events' : left === 'none' ? 'none' : 'content';
  }

  get #ownKey(): boolean {
    return this.#call.routing !== null && this.#call.routing.ownKey !== null;
  }

  #linksLeft(): number {
    const { routing } = this.#call;
    return routing === null ? 0 : routing.links.length - 1 - routing.at;
  }

  /** Which accounts may be tried, now or in another round: others, or this one alone, once a moment has passed. */
  #left(): 'none' | 'this' | 'others' {
    const { groups } = candidatesOf(this.#call);
    const { account, facts } = this.#call;
    const nowMs = this.#deps.clock.now();
    let left: 'none' | 'this' = 'none';
    for (const group of groups ?? [])
      for (const other of group) {
        if (this.#hopeless.includes(other) || other.state.limitedUntilMs(facts.model, nowMs) > 0) continue;
        if (other !== account) return 'others';
        left = 'this';
      }
    return left;
  }

  /** Takes in the head of an answer. @returns true when the answer is one to give up, if another attempt is possible */
  answered(status: number, limits: readonly string[]): boolean {
    this.#status = status;
    this.#limits = limits;
    if (this.#ownKey) {
      this.#verdict = 'final'; // what the client's credential is good for says nothing about the account
      return false;
    }
    this.#verdict = this.#deps.pool.answered(this.#call.account, this.#seen());
    if (status === 401 && this.#call.account.authorizer !== null) this.#renewCredential();
    return this.#verdict !== 'final' && this.mayGoOn();
  }

  /** A credential that can be renewed is, once for this call; refused again, it is given up (CF-04). */
  #renewCredential(): void {
    const { account, credentialVersion } = this.#call;
    if (this.#renewed === account) return account.authorizer?.refusedAgain(credentialVersion);
    this.#renewed = account;
    this.#again = account.authorizer?.refused(credentialVersion) ?? false;
  }

  /** The answer goes to the client: there is no way back, and what another attempt would need is let go of. */
  committed(facts: ExchangeFacts, written: boolean): void {
    this.#limits = NO_LIMITS;
    forgetRequest(this.#call, written);
    // What the gate says tells nothing of the account, and neither does what a client's own key is good for.
    if (this.#verdict !== 'final' || this.#ownKey || this.#call.local !== null) return;
    const nowMs = facts.firstByteAtMs ?? this.#deps.clock.now();
    this.#deps.pool.served(this.#call.account, Math.max(0, nowMs - facts.dispatchedAtMs), nowMs);
  }

  /** An answer that was on its way to the client broke off. */
  broke(facts: ExchangeFacts): void {
    if (this.#ownKey) return;
    this.#deps.pool.failed(this.#call.account, facts.dispatchedAtMs, this.#deps.clock.now());
  }

  /** The attempt is over, however it ended. */
  ended(): void {
    if (this.#counted !== null) this.#counted.state.inFlight -= 1;
    this.#counted = null;
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  /**
   * Gives up an attempt of which the client has seen nothing, and plans the next one.
   * @returns false when there is none: the failure is the answer. A promise where shared limits have to be asked
   */
  next(failure: AttemptFailure, facts: ExchangeFacts, start: () => void): boolean | Promise<boolean> {
    if (this.#ownKey) return false;
    this.#learn(failure, facts);
    // What the upstream may have billed for this attempt would be lost on a budget that must not be overshot.
    if (this.#call.held?.hold.binding && mayBeBilled(facts)) return false;
    if (!this.mayGoOn()) return false;
    const next = this.#aimElsewhere();
    if (next === null) return false;
    const call = this.#call;
    facts.endedAtMs = this.#deps.clock.now();
    const row = attemptRow(call, facts, failure.outcome);
    const before = { ...call };
    Object.assign(call, next.change, next.aim, { chosenBy: next.chosenBy });
    const go = (moved: boolean): boolean => {
      if (!moved) {
        Object.assign(call, before, { held: call.held });
        return false;
      }
      if (next.chosenBy === 'fallback') this.#newLink();
      call.past = [...call.past, row];
      call.waiting = true;
      this.ended();
      if (next.delayMs === 0) this.#immediate = setImmediate(start);
      else this.#timer = setTimeout(start, next.delayMs);
      return true;
    };
    const moved = this.#deps.moveHold(call);
    return moved instanceof Promise ? moved.then(go, () => go(false)) : go(moved);
  }

  /** Seconds until the first of the accounts that could serve the call is free again; null when none is limited. */
  retryAfterSeconds(): number | null {
    const { facts } = this.#call;
    const { groups } = candidatesOf(this.#call);
    const nowMs = this.#deps.clock.now();
    let earliest = 0;
    for (const group of groups ?? []) {
      for (const { state } of group) {
        const untilMs = state.limitedUntilMs(facts.model, nowMs);
        if (untilMs === 0) return null;
        if (earliest === 0 || untilMs < earliest) earliest = untilMs;
      }
    }
    return earliest === 0 ? null : Math.max(1, Math.ceil((earliest - nowMs) / 1000));
  }

  get call(): Call {
    return this.#call;
  }

  #seen() {
    return {
      status: this.#status,
      limits: this.#limits,
      model: this.#call.facts.model,
      nowMs: this.#deps.clock.now(),
    };
  }

  #learn(failure: AttemptFailure, facts: ExchangeFacts): void {
    const { account } = this.#call;
    const { pool } = this.#deps;
    if (failure.body !== null)
      this.#verdict = pool.refusedWith(account, { ...this.#seen(), body: failure.body }, this.#verdict);
    // An error inside a 200 is a failure like any other.
    if (this.#verdict === 'final') this.#verdict = 'transient';
    if (this.#verdict === 'transient') pool.failed(account, facts.dispatchedAtMs, this.#deps.clock.now());
    this.#tried.push(account);
    const repeat = failure.mayRepeat && this.#verdict === 'transient' && !this.#forbidden();
    if (!repeat) this.#hopeless.push(account);
  }

  #header(name: string): string | null {
    const at = this.#limits.indexOf(name);
    return at === -1 || at % 2 === 1 ? null : (this.#limits[at + 1] ?? null);
  }

  /** The provider asks not to be asked again. */
  #forbidden(): boolean {
    return this.#header('x-should-retry') === 'false';
  }

  #pick(tried: readonly PoolAccount[]): PoolAccount | null {
    const nowMs = this.#deps.clock.now();
    // With somewhere else to go, accounts that rest after failures are left alone.
    const lastResort = this.#linksLeft() === 0;
    return pickFor(this.#deps.pool, this.#call, { nowMs, tried, lastResort })?.account ?? null;
  }

  /** What another link's accounts did for this call says nothing yet. */
  #newLink(): void {
    this.#tried = [];
    this.#hopeless = [];
  }

  #next(): Next | null {
    if (this.#again) return { account: this.#call.account, chosenBy: 'renewed', delayMs: 0, change: {} };
    return this.#elsewhere() ?? this.#fallback() ?? this.#newRound();
  }

  /** Where the next attempt goes; an account that the request cannot be translated for is passed over. */
  #aimElsewhere(): (Next & { aim: Aim }) | null {
    for (;;) {
      const next = this.#next();
      if (next === null) return null;
      try {
        const call = { ...this.#call, ...next.change };
        return { ...next, aim: this.#deps.aim(this.#request, call, next.account) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#again = false;
        this.#tried.push(next.account);
        this.#hopeless.push(next.account);
        this.#unfit.push(next.account);
      }
    }
  }

  #elsewhere(): Next | null {
    const account = this.#pick(this.#tried);
    return account === null ? null : { account, chosenBy: 'failover', delayMs: 0, change: {} };
  }

  /** The next link of the rule that has an account for the call. */
  #fallback(): Next | null {
    const { routing, key } = this.#call;
    for (let ahead = 1; routing !== null && ahead <= this.#linksLeft(); ahead++) {
      const change = onLink(this.#call, routing, routing.at + ahead);
      if (key.limits !== null && !modelAllowed(key.limits, change.facts.model)) continue;
      const last = ahead === this.#linksLeft();
      const asked = { nowMs: this.#deps.clock.now(), tried: this.#unfit, lastResort: last };
      const pick = pickFor(this.#deps.pool, { ...this.#call, ...change }, asked);
      if (pick !== null && pick.account !== null)
        return { account: pick.account, chosenBy: 'fallback', delayMs: 0, change };
    }
    return null;
  }

  #newRound(): Next | null {
    const { retry, clock, random } = this.#deps;
    if (this.#round >= retry.attempts) return null;
    const account = this.#pick(this.#hopeless);
    if (account === null) return null;
    const nowMs = clock.now();
    const asked = readInstant(this.#header('retry-after') ?? '', nowMs) ?? nowMs;
    const backoffMs = retry.delayMs * retry.backoff ** this.#round * (0.5 + random() / 2);
    const delayMs = Math.ceil(Math.max(backoffMs, asked - nowMs, 1));
    if (delayMs > MAX_WAIT_MS || nowMs + delayMs - this.#call.startedAtMs > retry.deadlineMs) return null;
    this.#round += 1;
    this.#tried = [...this.#hopeless];
    return { account, chosenBy: 'retry', delayMs, change: {} };
  }
}

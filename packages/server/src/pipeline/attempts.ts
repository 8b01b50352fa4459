import type { IncomingMessage } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { AccountPool } from '../pool/account-pool.ts';
import type { Verdict } from '../pool/judge-answer.ts';
import type { PoolAccount } from '../pool/pool.ts';
import { readInstant } from '../pool/rate-limit-headers.ts';
import { type AimAt, candidatesOf } from './aim.ts';
import { attemptRow } from './attempt-rows.ts';
import type { Aim, Call } from './call.ts';
import type { ExchangeFacts } from './exchange-facts.ts';
import type { Outcome } from './outcome.ts';
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
    return retry.attempts > 0 && clock.now() - this.#call.startedAtMs < retry.deadlineMs;
  }

  /** Takes in the head of an answer. @returns true when the answer is one to give up, if another attempt is possible */
  answered(status: number, limits: readonly string[]): boolean {
    this.#status = status;
    this.#limits = limits;
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

  /** The answer goes to the client: there is no way back. */
  committed(facts: ExchangeFacts): void {
    if (this.#verdict !== 'final' || this.#call.local !== null) return; // what the gate says tells nothing of the account
    const nowMs = facts.firstByteAtMs ?? this.#deps.clock.now();
    this.#deps.pool.served(this.#call.account, Math.max(0, nowMs - facts.dispatchedAtMs), nowMs);
  }

  /** An answer that was on its way to the client broke off. */
  broke(facts: ExchangeFacts): void {
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
    this.#learn(failure, facts);
    // What the upstream may have billed for this attempt would be lost on a budget that must not be overshot.
    if (this.#call.held?.hold.binding && mayBeBilled(facts)) return false;
    if (!this.mayGoOn()) return false;
    const next = this.#aimElsewhere();
    if (next === null) return false;
    const call = this.#call;
    facts.endedAtMs = this.#deps.clock.now();
    const row = attemptRow(call, facts, failure.outcome);
    const { account, flavor, path, headers, body, parsed, translation, local } = call;
    Object.assign(call, next.aim);
    const go = (moved: boolean): boolean => {
      if (!moved) {
        Object.assign(call, { account, flavor, path, headers, body, parsed, translation, local });
        return false;
      }
      call.past = [...call.past, row];
      call.waiting = true;
      this.ended();
      if (next.delayMs === 0) this.#immediate = setImmediate(start);
      else this.#timer = setTimeout(start, next.delayMs);
      return true;
    };
    const moved = this.#deps.moveHold(call);
    return moved instanceof Promise ? moved.then(go) : go(moved);
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
    const { facts } = this.#call;
    const candidates = candidatesOf(this.#call);
    if (candidates.groups === null) return null;
    const { model, affinity } = facts;
    const nowMs = this.#deps.clock.now();
    return this.#deps.pool.pick(candidates, { model, affinity, nowMs, tried }).account;
  }

  /** Where the next attempt goes; an account that the request cannot be translated for is passed over. */
  #aimElsewhere(): { aim: Aim; delayMs: number } | null {
    for (;;) {
      const next = this.#again
        ? { account: this.#call.account, delayMs: 0 }
        : (this.#elsewhere() ?? this.#newRound());
      if (next === null) return null;
      try {
        return { aim: this.#deps.aim(this.#request, this.#call, next.account), delayMs: next.delayMs };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#again = false;
        this.#tried.push(next.account);
        this.#hopeless.push(next.account);
      }
    }
  }

  #elsewhere(): { account: PoolAccount; delayMs: number } | null {
    const account = this.#pick(this.#tried);
    return account === null ? null : { account, delayMs: 0 };
  }

  #newRound(): { account: PoolAccount; delayMs: number } | null {
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
    return { account, delayMs };
  }
}

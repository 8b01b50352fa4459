import type { PoolStrategy } from '@tallygate/contract/api/pool';
import { type AccountState, OPEN_AFTER_FAILURES } from './account-state.ts';
import { type AnswerSeen, judgeAnswer, judgeRefusalBody, type Verdict } from './judge-answer.ts';
import type { Candidates, NamedPool, PoolAccount } from './pool.ts';
import { createStrategies, type Strategy, type StrategyCall, type Usable } from './strategies.ts';

export interface PoolCall extends StrategyCall {
  /** Accounts that failed this call already. */
  tried: readonly PoolAccount[];
  /** The pool that a rule chose; null is the pool of all accounts. */
  pool: Pick<NamedPool, 'id' | 'strategy'> | null;
  /** False passes over accounts that rest after failures: something else may do better than they. */
  lastResort: boolean;
}

export type Choice =
  | { account: PoolAccount; chosenBy: PoolStrategy | 'only' | 'last-resort' }
  /** Every account that is left is limited by its provider until then. */
  | { account: null; untilMs: number };

export interface AccountPool {
  /** Chooses an account for a call; the null account's `untilMs` is 0 when all have been tried. */
  pick(candidates: Candidates & { groups: object }, call: PoolCall): Choice;
  /** Takes in an answer's status and headers. */
  answered(account: PoolAccount, seen: AnswerSeen): Verdict;
  /** Takes in the body of a refusal, where the headers did not say it all. */
  refusedWith(account: PoolAccount, seen: AnswerSeen & { body: string }, verdict: Verdict): Verdict;
  /** An attempt that was dispatched at `dispatchedAtMs` came to nothing. */
  failed(account: PoolAccount, dispatchedAtMs: number, nowMs: number): void;
  /** The upstream took the call; `latencyMs` to its first byte. */
  served(account: PoolAccount, latencyMs: number, nowMs: number): void;
  strategy(): PoolStrategy;
  setStrategy(strategy: PoolStrategy): void;
  /** Forgets what is remembered for pools that are gone. */
  keepPools(ids: ReadonlySet<string>): void;
}

/** A single failure rests an account this long; from the third in a row on the circuit is open and the rest doubles. */
const SHORT_REST_MS = 1_000;
const FIRST_OPEN_MS = 10_000;
const MAX_OPEN_MS = 5 * 60_000;
/** How long the one call that tries a rested account keeps the others away. */
const PROBE_MS = 10_000;
/** A refused credential is tried again after this, in case somebody restored it at the provider. */
const REFUSED_REST_MS = 5 * 60_000;

function restMs(failures: number): number {
  if (failures < OPEN_AFTER_FAILURES) return SHORT_REST_MS;
  return Math.min(FIRST_OPEN_MS * 2 ** (failures - OPEN_AFTER_FAILURES), MAX_OPEN_MS);
}

function refused(state: AccountState, nowMs: number): boolean {
  return state.refusedAtMs !== null && nowMs - state.refusedAtMs < REFUSED_REST_MS;
}

type Strategies = Readonly<Record<PoolStrategy, Strategy>>;

class StatefulPool implements AccountPool {
  readonly #strategies: Strategies;
  readonly #byPool = new Map<string, Strategies>();
  readonly #sessionMs: number;
  #name: PoolStrategy;
  #call: PoolCall = {
    model: null,
    affinity: null,
    nowMs: 0,
    tried: [],
    pool: null,
    lastResort: true,
  };

  constructor(options: { strategy: PoolStrategy; sessionMs: number }) {
    this.#strategies = createStrategies(options);
    this.#name = options.strategy;
    this.#sessionMs = options.sessionMs;
  }

  strategy(): PoolStrategy {
    return this.#name;
  }

  setStrategy(strategy: PoolStrategy): void {
    this.#name = strategy;
  }

  keepPools(ids: ReadonlySet<string>): void {
    for (const id of this.#byPool.keys()) if (!ids.has(id)) this.#byPool.delete(id);
  }

  /** Turns and sticky sessions of one pool say nothing about another. */
  #strategiesOf(pool: PoolCall['pool']): Strategies {
    if (pool === null) return this.#strategies;
    let strategies = this.#byPool.get(pool.id);
    if (strategies === undefined) {
      strategies = createStrategies({ sessionMs: this.#sessionMs });
      this.#byPool.set(pool.id, strategies);
    }
    return strategies;
  }

  pick({ groups }: Candidates & { groups: object }, call: PoolCall): Choice {
    const [only] = groups[0] as readonly PoolAccount[];
    if (groups.length === 1 && groups[0].length === 1 && only !== undefined)
      return this.#pickOnly(only, call);
    this.#call = call; // the predicates below look here instead of each being made anew for every call
    const chosenBy = call.pool?.strategy ?? this.#name;
    const strategy = this.#strategiesOf(call.pool)[chosenBy];
    for (const group of groups) {
      const account =
        strategy(group, this.#healthy, call, this.#unlimited) ??
        strategy(group, this.#unlimited, call, this.#unlimited);
      if (account !== null) return this.#taken(account, call.nowMs, chosenBy);
    }
    // Nothing is left but what rests after failures: better tried than refused.
    if (!call.lastResort) return { account: null, untilMs: 0 };
    for (const group of groups)
      for (const account of group) if (this.#lastResort(account)) return { account, chosenBy: 'last-resort' };
    return { account: null, untilMs: this.#earliest(groups.flat(), call) };
  }

  #pickOnly(account: PoolAccount, call: PoolCall): Choice {
    if (call.tried.includes(account)) return { account: null, untilMs: 0 };
    const untilMs = account.state.limitedUntilMs(call.model, call.nowMs);
    if (untilMs !== 0) return { account: null, untilMs };
    const rests = !call.lastResort && account.state.resting(call.nowMs);
    return rests ? { account: null, untilMs: 0 } : { account, chosenBy: 'only' };
  }

  #taken(account: PoolAccount, nowMs: number, chosenBy: PoolStrategy): Choice {
    const { state } = account;
    if (state.circuitOpen) state.probeUntilMs = nowMs + PROBE_MS;
    return { account, chosenBy };
  }

  readonly #lastResort: Usable = (account) =>
    account.state.limitedUntilMs(this.#call.model, this.#call.nowMs) === 0 &&
    !this.#call.tried.includes(account);

  /** Neither limited, nor resting, nor refused: with or without a warning. */
  readonly #unlimited: Usable = (account) =>
    this.#lastResort(account) &&
    !account.state.resting(this.#call.nowMs) &&
    account.upstream.restUntilMs <= this.#call.nowMs &&
    !refused(account.state, this.#call.nowMs);

  readonly #healthy: Usable = (account) =>
    this.#unlimited(account) && account.state.softUntilMs <= this.#call.nowMs;

  #earliest(accounts: readonly PoolAccount[], call: PoolCall): number {
    let earliest = 0;
    for (const { state } of accounts) {
      const untilMs = state.limitedUntilMs(call.model, call.nowMs);
      if (untilMs !== 0 && (earliest === 0 || untilMs < earliest)) earliest = untilMs;
    }
    return earliest;
  }

  answered(account: PoolAccount, seen: AnswerSeen): Verdict {
    const verdict = judgeAnswer(account.state, seen);
    if (verdict === 'refused' && seen.status === 401) account.state.refuse(seen.nowMs);
    return verdict;
  }

  refusedWith(account: PoolAccount, seen: AnswerSeen & { body: string }, verdict: Verdict): Verdict {
    return judgeRefusalBody(account.state, seen, verdict);
  }

  failed({ state, upstream }: PoolAccount, dispatchedAtMs: number, nowMs: number): void {
    // Calls that were under way together fail together: one stumble, not many.
    if (
      state.restUntilMs > nowMs ||
      (state.failures > 0 && dispatchedAtMs < state.restUntilMs - restMs(state.failures))
    )
      return;
    upstream.failed(state.number, nowMs);
    state.fail(nowMs, restMs);
  }

  served({ state, upstream }: PoolAccount, latencyMs: number, nowMs: number): void {
    upstream.served();
    state.recover();
    state.accept();
    const age = Math.max(0, nowMs - state.latencyAtMs);
    const kept = Math.exp(-age / 10_000);
    state.latencyMs =
      latencyMs > state.latencyMs * kept ? latencyMs : state.latencyMs * kept + latencyMs * (1 - kept);
    state.latencyAtMs = nowMs;
  }
}

/** A pool over accounts whose states it reads and writes. */
export function createAccountPool(options: { strategy: PoolStrategy; sessionMs: number }): AccountPool {
  return new StatefulPool(options);
}

import type { PoolStrategy } from '@tallygate/contract/api/pool';
import type { CandidateGroup, PoolAccount } from './pool.ts';
import { hashText, mix, StickyTable } from './sticky-table.ts';

/** What a strategy may know of a call. */
export interface StrategyCall {
  model: string | null;
  /** Session, user or opening words; null when the call has none of them. */
  affinity: string | null;
  nowMs: number;
}

/** True for accounts that may be chosen now. */
export type Usable = (account: PoolAccount) => boolean;

/** Chooses one of the usable accounts of a group; null when none is. What is there already may stay longer: `stays`. */
export type Strategy = (
  group: CandidateGroup,
  usable: Usable,
  call: StrategyCall,
  stays: Usable,
) => PoolAccount | null;

const LATENCY_DECAY_MS = 10_000;
/** Utilisation is compared in steps, so that accounts do not change places at every answer. */
const UTILISATION_STEPS = 20;

/** The oldest account there is; with priorities, the first of the best that works (CF-05: failback is by itself). */
const first: Strategy = (group, usable) => {
  for (const account of group) if (usable(account)) return account;
  return null;
};

function least(group: CandidateGroup, usable: Usable, cost: (account: PoolAccount) => number) {
  let best: PoolAccount | null = null;
  let bestCost = 0;
  for (const account of group) {
    if (!usable(account)) continue;
    const its = cost(account);
    if (best !== null && its >= bestCost) continue;
    best = account;
    bestCost = its;
  }
  return best;
}

/** Smooth weighted round: over any stretch each account gets its share, never in a burst. */
const weighted: Strategy = (group, usable) => {
  let best: PoolAccount | null = null;
  let total = 0;
  for (const account of group) {
    if (!usable(account)) continue;
    account.state.credit += account.share;
    total += account.share;
    if (best === null || account.state.credit > best.state.credit) best = account;
  }
  if (best !== null) best.state.credit -= total;
  return best;
};

function spentOf(account: PoolAccount, nowMs: number): number {
  let spent = 0;
  for (const window of account.state.windows)
    if (window.utilization !== null && (window.resetAtMs === null || window.resetAtMs > nowMs))
      spent = Math.max(spent, window.utilization);
  return spent;
}

const leastUsed: Strategy = (group, usable, { nowMs }) =>
  least(
    group,
    usable,
    (account) =>
      Math.floor(spentOf(account, nowMs) * UTILISATION_STEPS) * 1e12 +
      (account.state.inFlight / account.share) * 1e6 +
      account.state.uses / account.share,
  );

/** When the account's longest window starts anew; what is not known comes last. */
function longestResetMs(account: PoolAccount, nowMs: number): number {
  let latest = 0;
  for (const { resetAtMs } of account.state.windows)
    if (resetAtMs !== null && resetAtMs > nowMs && resetAtMs > latest) latest = resetAtMs;
  return latest === 0 ? Number.MAX_VALUE : latest;
}

/** What is left in a window is lost when it starts anew: the account whose longest window ends first is used up first. */
const drainSoonestReset: Strategy = (group, usable, { nowMs }) =>
  least(group, usable, (account) => longestResetMs(account, nowMs));

/** Expected wait: the decayed peak of the time to the first byte times the calls in line (peak EWMA, as Finagle has it). */
const lowestLatency: Strategy = (group, usable, { nowMs }) =>
  least(group, usable, ({ state }) => {
    const age = Math.max(0, nowMs - state.latencyAtMs);
    return (state.latencyMs * Math.exp(-age / LATENCY_DECAY_MS) + 1) * (state.inFlight + 1);
  });

function roundRobin(): Strategy {
  let turn = 0;
  return (group, usable) => {
    turn = (turn + 1) >>> 0;
    for (let i = 0; i < group.length; i++) {
      const account = group[(turn + i) % group.length];
      if (account !== undefined && usable(account)) return account;
    }
    return null;
  };
}

/** Rendezvous hashing: a session that is not remembered finds the same account again, as long as that is usable. */
function byRendezvous(group: CandidateGroup, usable: Usable, key: number): PoolAccount | null {
  return least(group, usable, ({ state, share }) => {
    const unit = (mix(key, state.number) + 1) / 4_294_967_297;
    return -Math.log(unit) / share;
  });
}

function numbered(group: CandidateGroup, number: number): PoolAccount | null {
  if (number !== 0) for (const account of group) if (account.state.number === number) return account;
  return null;
}

/** A session stays with its account for as long as its prompt cache is worth it; after a failure it stays with the new one. */
function session(sessionMs: number): Strategy {
  const table = new StickyTable();
  const spread = roundRobin();
  return (group, usable, call, stays) => {
    if (group.length === 1) return first(group, usable, call, stays);
    if (call.affinity === null) return spread(group, usable, call, stays);
    const key = hashText(call.affinity);
    const known = numbered(group, table.find(key, call.nowMs));
    if (known !== null && stays(known)) return known;
    const chosen = byRendezvous(group, usable, key);
    if (chosen !== null)
      table.set(key, chosen.state.number, table.endOf(key, call.nowMs) || call.nowMs + sessionMs);
    return chosen;
  };
}

/** Every strategy there is, with a memory of its own. */
export function createStrategies(options: { sessionMs: number }): Readonly<Record<PoolStrategy, Strategy>> {
  return {
    session: session(options.sessionMs),
    priority: first,
    weighted,
    'round-robin': roundRobin(),
    'least-used': leastUsed,
    'lowest-latency': lowestLatency,
    'drain-soonest-reset': drainSoonestReset,
  };
}

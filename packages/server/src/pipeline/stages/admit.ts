import type { Clock } from '../../kernel/clock.ts';
import type { JointAdmission } from '../../limits/joint-admission.ts';
import type { Admission } from '../../limits/limit-state.ts';
import type { RateAdmission, RateLease } from '../../limits/rate-state.ts';
import type { Dialect, LimitHeaderWriter } from '../../providers/provider.ts';
import type { Call } from '../call.ts';
import { admitRate, leased, moveRate, rateQuestion } from './admit-rate.ts';
import type { LimitTelling } from './limit-headers.ts';
import { type Recounting, recount } from './recount.ts';
import { BudgetRefused, budgetQuestion, moveHold, reserve, reserved } from './reserve.ts';

/** What decides whether a call may go. */
export interface AdmitDeps {
  rates: RateAdmission;
  budgets: Admission;
  /** Decides for both at once; null where asking one after the other costs nothing. */
  joint: JointAdmission | null;
  limitHeaders: Readonly<Record<Dialect, LimitHeaderWriter | null>>;
  recounting: Recounting;
  clock: Clock;
}

/** Keeps back what budgets want to see kept back. */
function hold({ budgets, clock }: AdmitDeps, call: Call): undefined | Promise<void> {
  if (!call.route.metered) return undefined;
  const refused = (error: unknown): never => {
    call.lease?.refund(clock.monotonicMs());
    throw error;
  };
  try {
    const held = reserve(budgets, call);
    if (held instanceof Promise)
      return held.then((later) => {
        call.held = later;
      }, refused);
    call.held = held;
    return undefined;
  } catch (error) {
    return refused(error);
  }
}

/** Asks limits and budgets in one trip; null when they have to be asked one by one. */
function admitJointly(
  { joint, budgets, clock }: AdmitDeps,
  call: Call,
  telling: LimitTelling,
): Promise<void> | null {
  if (joint === null || !budgets.active || !call.route.metered) return null;
  const question = budgetQuestion(call);
  const decision = joint.admit(rateQuestion(call, telling.monotonicMs), question);
  if (decision === null) return null;
  return decision.then((both) => {
    call.lease = leased(call, both.rates, telling);
    try {
      call.held = reserved(call, both.budgets, question.reckoned);
    } catch (error) {
      call.lease?.refund(clock.monotonicMs());
      throw error;
    }
  });
}

function admitOnce(deps: AdmitDeps, call: Call): undefined | Promise<void> {
  const { rates, limitHeaders, clock } = deps;
  if (!rates.active) return hold(deps, call);
  const telling = { writers: limitHeaders, nowMs: call.startedAtMs, monotonicMs: clock.monotonicMs() };
  const both = admitJointly(deps, call, telling);
  if (both !== null) return both;
  const lease = admitRate(rates, call, telling);
  const take = (taken: RateLease | null): undefined | Promise<void> => {
    call.lease = taken;
    return hold(deps, call);
  };
  return lease instanceof Promise ? lease.then(take) : take(lease);
}

/** Asks once more where a budget refused and the provider's own count of the input may fit. @throws the refusal */
function admitCounted(deps: AdmitDeps, call: Call, error: unknown): Promise<void> {
  const counting = error instanceof BudgetRefused ? recount(deps.recounting, call, error.refusal) : null;
  if (counting === null) throw error;
  call.lease = null; // it was refunded with the refusal
  return counting.then((counted) => {
    if (!counted) throw error;
    return admitOnce(deps, call);
  });
}

/**
 * Counts a call in the limits that cover it, then keeps back what it may come to in its budgets: in all of them, or it
 * is refused and there is no trace of it. State in memory decides at once, shared state later.
 * @throws AppError `rate_limited`, `budget_exhausted`, `budget_held`, `budget_unpriced`; a promise rejects with the same
 */
export function admit(deps: AdmitDeps, call: Call): undefined | Promise<void> {
  try {
    return admitOnce(deps, call)?.catch((error: unknown) => admitCounted(deps, call, error));
  } catch (error) {
    return admitCounted(deps, call, error);
  }
}

/** A call that was admitted is not sent: nothing of it counts. */
export function giveBack({ clock }: Pick<AdmitDeps, 'clock'>, call: Call): void {
  call.lease?.refund(clock.monotonicMs());
  call.held?.hold.release();
}

/** Moves both in one trip; null when they have to be asked one by one. */
function moveJointly({ joint, budgets, clock }: AdmitDeps, call: Call): Promise<boolean> | null {
  if (joint === null || call.lease === null || !budgets.active || !call.route.metered) return null;
  const question = budgetQuestion(call);
  const decision = joint.move(call.lease, rateQuestion(call, clock.monotonicMs()), question);
  if (decision === null) return null;
  return decision.then((move) => {
    if (move.moved) call.held = reserved(call, move.budgets, question.reckoned);
    return move.moved;
  });
}

/**
 * Moves what limits count and budgets keep back to the account that the call names now.
 * @returns false when one of them has no room there; then everything is as it was
 */
export function move(deps: AdmitDeps, call: Call): boolean | Promise<boolean> {
  const { rates, budgets, clock } = deps;
  if (!rates.active) return moveHold(budgets, call);
  const both = moveJointly(deps, call);
  if (both !== null) return both;
  const moved = moveRate(rates, call, clock.monotonicMs());
  const follow = (undo: (() => void) | null): boolean | Promise<boolean> => {
    if (undo === null) return false;
    const judge = (held: boolean): boolean => {
      if (!held) undo();
      return held;
    };
    const held = moveHold(budgets, call);
    return held instanceof Promise ? held.then(judge) : judge(held);
  };
  return moved instanceof Promise ? moved.then(follow) : follow(moved);
}

import { formatNanoUsd } from '@tallygate/contract/money';
import { RequestBound } from '../../accounting/request-bound.ts';
import type { RequestShape } from '../../accounting/request-shape.ts';
import { AppError } from '../../kernel/errors.ts';
import { setMember } from '../../kernel/json-span.ts';
import type { Budget } from '../../limits/budget.ts';
import { used } from '../../limits/budget-account.ts';
import type { BudgetEngine, Refusal } from '../../limits/budget-engine.ts';
import type { Hold } from '../../limits/budget-hold.ts';
import type { Call } from '../call.ts';

/** What budgets keep back for a call. */
export interface CallHold {
  hold: Hold;
  /** Null when only numbers of requests are limited. */
  bound: RequestBound | null;
  /** Output tokens of each answer that the bound was taken at. */
  outputTokens: number;
}

/** What is held comes back with the next answers that end. */
const HELD_RETRY_SECONDS = 2;
/** A budget that never starts anew may be raised by a person: worth another look tomorrow. */
const TOTAL_RETRY_SECONDS = 86_400;

function amountText(budget: Budget, amount: number): string {
  if (budget.measure === 'usd') return `$${formatNanoUsd(BigInt(Math.max(0, amount)))}`;
  return `${Math.max(0, amount)} ${budget.measure}`;
}

function scopeText({ scope: { kind, value } }: Budget): string {
  return kind === 'workspace' ? 'the workspace' : `${kind} ${value}`;
}

/** The error for a refusal: which budget, what is left of it, what was needed, and when it starts anew. */
export function refusalError({ reason, account, window, needed }: Refusal, nowMs: number): AppError {
  const { budget } = account;
  const name = `The ${budget.window === 'total' ? 'total' : `${budget.window}ly`.replace('dayly', 'daily')} budget of ${amountText(budget, budget.limit)} for ${scopeText(budget)} (id ${budget.id})`;
  if (reason === 'unpriced')
    return new AppError('budget_unpriced', {
      detail: `${name} cannot cover this model, because no price of it is known. Set a price, or let the budget allow models without one.`,
    });
  const need = needed === null ? '' : ` This request may come to ${amountText(budget, needed)}.`;
  if (reason === 'held') {
    const free = amountText(budget, budget.limit - used(window) - window.held);
    return new AppError('budget_held', {
      detail: `${name} has ${free} left that is not held by requests on their way.${need} Try again in a moment.`,
      retryAfterSeconds: HELD_RETRY_SECONDS,
    });
  }
  const left = amountText(budget, budget.limit - used(window));
  const ends = Number.isFinite(window.endMs);
  const when = ends
    ? ` It starts anew at ${new Date(window.endMs).toISOString()}.`
    : ' It does not start anew.';
  const retryAfterSeconds = ends
    ? Math.max(1, Math.ceil((window.endMs - nowMs) / 1000))
    : TOTAL_RETRY_SECONDS;
  return new AppError('budget_exhausted', {
    detail: `${name} has ${left} left.${need}${when}`,
    retryAfterSeconds,
  });
}

/**
 * Keeps back the most a call can come to in every budget it falls under, and lowers its output limit where a budget
 * says so; every other byte of the body stays as it was sent.
 * @returns null when no budget has anything to say
 * @throws AppError `budget_exhausted`, `budget_held`, `budget_unpriced`
 */
export function reserve(engine: BudgetEngine, call: Call): CallHold | null {
  if (!engine.active) return null;
  const { account, facts, key, route, startedAtMs } = call;
  let bound: RequestBound | null = null;
  let shape: RequestShape | null = null;
  const reservation = engine.reserve(
    {
      id: call.id,
      startedAtMs,
      scopes: {
        workspaceId: key.workspaceId,
        keyId: key.id,
        projectId: key.projectId,
        model: facts.model,
        provider: account.adapter.id,
        accountId: account.id,
        tags: call.tags,
      },
    },
    () => {
      shape = account.adapter.requestShape(route.flavor, call.parsed, call.body?.length ?? 0);
      const question = { provider: account.priceProvider, model: facts.model, atMs: startedAtMs };
      bound = new RequestBound(call.snapshot.prices, question, shape);
      return bound;
    },
  );
  if (reservation === null) return null;
  if ('refusal' in reservation) throw refusalError(reservation.refusal, startedAtMs);
  const { hold } = reservation;
  return settled(call, hold, { bound, shape });
}

/**
 * Moves what is kept back to the account that the call names now, which may fall under other budgets and prices.
 * @returns false when a budget has no room there: the call must stay where it is, and what it had is kept back again
 */
export function moveHold(engine: BudgetEngine, call: Call, from: Call['account']): boolean {
  if (!engine.active) return true;
  const to = call.account;
  call.held?.hold.release();
  if (tryReserve(engine, call)) return true;
  call.account = from;
  // Fails only when somebody lowered a budget meanwhile: nothing was billed yet, and the call ends with its failure.
  tryReserve(engine, call);
  call.account = to;
  return false;
}

/** Leaves nothing held when a budget has no room. */
function tryReserve(engine: BudgetEngine, call: Call): boolean {
  call.held = null;
  try {
    call.held = reserve(engine, call);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
  }
}

function settled(
  call: Call,
  hold: Hold,
  reckoned: { bound: RequestBound | null; shape: RequestShape | null },
): CallHold {
  const { bound, shape } = reckoned;
  if (bound === null || shape === null || hold.clampedTo === null || shape.outputMember === null)
    return { hold, bound, outputTokens: bound?.outputTokens ?? 0 };
  if (call.body !== null) call.body = setMember(call.body, shape.outputMember, String(hold.clampedTo));
  return { hold, bound, outputTokens: hold.clampedTo };
}

import type { ErrorCode } from '@tallygate/contract/errors';
import { formatNanoUsd } from '@tallygate/contract/money';
import type { RequestBound } from '../../accounting/request-bound.ts';
import type { RequestShape } from '../../accounting/request-shape.ts';
import { AppError } from '../../kernel/errors.ts';
import { setMember } from '../../kernel/json-span.ts';
import { used } from '../../limits/account-windows.ts';
import type { Budget } from '../../limits/budget.ts';
import type { Hold } from '../../limits/budget-hold.ts';
import type { BudgetQuestion } from '../../limits/joint-admission.ts';
import type { Admission, Decision, Refusal } from '../../limits/limit-state.ts';
import type { Call } from '../call.ts';
import { boundOfShape, callBound } from '../call-bound.ts';

/** What budgets keep back for a call. */
export interface CallHold {
  hold: Hold;
  /** Null when only numbers of requests are limited. */
  bound: RequestBound | null;
  /** Output tokens of each answer that the bound was taken at. */
  outputTokens: number;
  /** Bytes of the input, media counted as the most they come to; 0 without a bound. */
  inputBytes: number;
}

/** A budget refused; the request may be counted better and asked again. */
export class BudgetRefused extends AppError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, nowMs: number) {
    const { code, options } = refusalOf(refusal, nowMs);
    super(code, options);
    this.refusal = refusal;
  }
}

const HOUR_MS = 3_600_000;
/** What is held comes back with the next answers that end. */
const HELD_RETRY_SECONDS = 2;
/** A budget that never starts anew may be raised by a person: worth another look tomorrow. */
const TOTAL_RETRY_SECONDS = 86_400;

function amountText(budget: Budget, amount: number): string {
  if (budget.measure === 'usd') return `$${formatNanoUsd(BigInt(Math.max(0, amount)))}`;
  return `${Math.max(0, amount)} ${budget.measure.replace('_', ' ')}`;
}

function scopeText({ scope }: Budget): string {
  return scope.length === 0
    ? 'the workspace'
    : scope.map(({ kind, value }) => `${kind} ${value}`).join(' and ');
}

/** `daily`, `total`, `5-hour`. */
function windowText({ window, windowMs, sliding }: Budget): string {
  if (window === 'total') return window;
  const length = window === 'custom' ? `${(windowMs ?? 0) / HOUR_MS}-hour` : `${window}ly`;
  return `${sliding ? 'sliding ' : ''}${length.replace('dayly', 'daily')}`;
}

function whenText({ sliding }: Budget, freeAtMs: number | null): string {
  if (freeAtMs === null) return sliding ? '' : ' It does not start anew.';
  const at = new Date(freeAtMs).toISOString();
  return sliding ? ` More of it is free at ${at}.` : ` It starts anew at ${at}.`;
}

/** The error for a refusal: which budget, what is left of it, what was needed, and when it starts anew. */
function refusalOf(
  refusal: Refusal,
  nowMs: number,
): { code: ErrorCode; options: { detail: string; retryAfterSeconds?: number } } {
  const { reason, account, window, needed, freeAtMs } = refusal;
  const { budget } = account;
  const name = `The ${windowText(budget)} budget of ${amountText(budget, budget.limit)} for ${scopeText(budget)} (id ${budget.id})`;
  if (reason === 'unpriced') {
    const detail = `${name} cannot cover this model, because no price of it is known. Set a price, or let the budget allow models without one.`;
    return { code: 'budget_unpriced', options: { detail } };
  }
  const need = needed === null ? '' : ` This request may come to ${amountText(budget, needed)}.`;
  if (reason === 'held') {
    const free = amountText(budget, budget.limit - used(window) - window.held);
    const detail = `${name} has ${free} left that is not held by requests on their way.${need} Try again in a moment.`;
    return { code: 'budget_held', options: { detail, retryAfterSeconds: HELD_RETRY_SECONDS } };
  }
  const left = amountText(budget, budget.limit - used(window));
  const retryAfterSeconds =
    freeAtMs === null ? TOTAL_RETRY_SECONDS : Math.max(1, Math.ceil((freeAtMs - nowMs) / 1000));
  const detail = `${name} has ${left} left.${need}${whenText(budget, freeAtMs)}`;
  return { code: 'budget_exhausted', options: { detail, retryAfterSeconds } };
}

function unavailableError(budget: Budget): AppError {
  return new AppError('limits_unavailable', {
    detail: `What the budget of ${amountText(budget, budget.limit)} for ${scopeText(budget)} (id ${budget.id}) has left cannot be told right now, and it lets nothing through then. Try again in a moment.`,
    retryAfterSeconds: HELD_RETRY_SECONDS,
  });
}

/** What the bound was taken from, once a budget asked for it. */
interface Reckoned {
  bound: RequestBound | null;
  shape: RequestShape | null;
  bytes: number;
}

/** What budgets are asked about a call, and what was reckoned for the answer. */
export interface BudgetAsking extends BudgetQuestion {
  reckoned: Reckoned;
}

/** The input is never taken for more than what the provider counted, with a margin, where it was asked. */
function countedShape({ account, facts, counted }: Call, shape: RequestShape): RequestShape {
  if (counted === null || counted.provider !== account.adapter.id || counted.model !== facts.model)
    return shape;
  return { ...shape, inputTokens: Math.min(shape.inputTokens, counted.tokens) };
}

export function budgetQuestion(call: Call): BudgetAsking {
  const { account, facts, key, startedAtMs } = call;
  const reckoned: Reckoned = { bound: null, shape: null, bytes: 0 };
  const ask = {
    id: call.id,
    startedAtMs,
    scopes: {
      workspaceId: key.workspaceId,
      keyId: key.id,
      userId: key.userId,
      sessionId: facts.sessionId,
      projectId: key.projectId,
      model: facts.model,
      provider: account.adapter.id,
      accountId: account.id,
      tags: call.tags,
    },
    replaces: call.held?.hold ?? null,
  };
  const bound = (): RequestBound => {
    const full = callBound(call);
    const shape = countedShape(call, full.shape);
    reckoned.bytes = full.shape.inputTokens;
    reckoned.shape = shape;
    reckoned.bound = shape === full.shape ? full.bound : boundOfShape(call, shape);
    return reckoned.bound;
  };
  return { ask, bound, reckoned };
}

/**
 * Keeps back the most a call can come to in every budget it falls under, and lowers its output limit where a budget
 * says so; every other byte of the body stays as it was sent. State in memory decides at once, shared state later.
 * @returns null when no budget has anything to say
 * @throws AppError `budget_exhausted`, `budget_held`, `budget_unpriced`; a promise rejects with the same
 */
export function reserve(limits: Admission, call: Call): CallHold | null | Promise<CallHold | null> {
  if (!limits.active) return null;
  const { ask, bound, reckoned } = budgetQuestion(call);
  const decision = limits.reserve(ask, bound);
  if (decision instanceof Promise) return decision.then((later) => reserved(call, later, reckoned));
  return reserved(call, decision, reckoned);
}

/**
 * Moves what is kept back to the account that the call names now, which may fall under other budgets and prices.
 * @returns false when a budget has no room there: the call must stay where it is, and what it had is still kept back
 */
export function moveHold(limits: Admission, call: Call): boolean | Promise<boolean> {
  if (!limits.active) return true;
  try {
    const held = reserve(limits, call);
    if (held instanceof Promise) return held.then((later) => take(call, later), refused);
    return take(call, held);
  } catch (error) {
    return refused(error);
  }
}

function take(call: Call, held: CallHold | null): true {
  call.held = held;
  return true;
}

function refused(error: unknown): false {
  if (error instanceof AppError) return false;
  throw error;
}

/**
 * What a decision of the budgets means for a call.
 * @throws AppError `budget_exhausted`, `budget_held`, `budget_unpriced`, `limits_unavailable`
 */
export function reserved(call: Call, decision: Decision, { bound, shape, bytes }: Reckoned): CallHold | null {
  if (decision === null) return null;
  if ('refusal' in decision) throw new BudgetRefused(decision.refusal, call.startedAtMs);
  if ('unavailable' in decision) throw unavailableError(decision.unavailable);
  const { hold } = decision;
  if (bound === null || shape === null || hold.clampedTo === null || shape.outputMember === null)
    return { hold, bound, outputTokens: bound?.outputTokens ?? 0, inputBytes: bytes };
  if (call.body !== null) call.body = setMember(call.body, shape.outputMember, String(hold.clampedTo));
  return { hold, bound, outputTokens: hold.clampedTo, inputBytes: bytes };
}

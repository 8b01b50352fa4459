import { used } from '../../limits/account-windows.ts';
import { amountOf } from '../../limits/budget-account.ts';
import type { Refusal } from '../../limits/limit-state.ts';
import type { Call } from '../call.ts';
import { boundOfShape, callBound } from '../call-bound.ts';
import type { InputCounter } from '../counting/input-counter.ts';
import type { InputRatios } from '../counting/input-ratios.ts';

/** What the provider counted for a call; holds for that provider and model alone. */
export interface InputCount {
  provider: string;
  model: string | null;
  /** With a margin: the most the input is taken for. */
  tokens: number;
}

export interface Recounting {
  /** Null where nobody is asked. */
  counter: InputCounter | null;
  ratios: InputRatios;
}

/** Of less text there is not enough to gain for a trip. */
const MIN_BYTES = 2_000;

/**
 * Providers call their count an estimate that may be off by a little (Anthropic, "Token counting"): a twentieth and the
 * frame of a request more is what a bound may rest on.
 */
export function withMargin(tokens: number): number {
  return tokens + Math.ceil(tokens / 20) + 100;
}

/** Whether the budget that refused would have room, were the input what requests like this one come to. */
function mayFit(call: Call, { account, window, needed }: Refusal, ratios: InputRatios): boolean {
  const { budget } = account;
  if (needed === null || budget.measure === 'requests') return false;
  const { shape } = callBound(call);
  if (shape.reachesBeyondBody || shape.inputTokens < MIN_BYTES) return false;
  const likely = withMargin(ratios.likely(call.flavor, call.facts.model, shape.inputTokens));
  if (likely >= shape.inputTokens) return false;
  const bound = boundOfShape(call, { ...shape, inputTokens: likely });
  const least = budget.mode === 'clamp' ? bound.minOutputTokens : null;
  const amount = amountOf(budget, bound, least ?? bound.outputTokens);
  return amount !== null && amount <= budget.limit - used(window) - window.held;
}

/**
 * Near the cap of a budget the bound of one token for each byte refuses what would fit. Then, and only then, the provider
 * is asked what the input comes to.
 * @returns null when there is nothing to ask; true when the call knows its count and may be decided about anew
 */
export function recount(
  { counter, ratios }: Recounting,
  call: Call,
  refusal: Refusal,
): Promise<boolean> | null {
  if (counter === null || call.counted !== null || (call.account.adapter.counting ?? null) === null)
    return null;
  if (!mayFit(call, refusal, ratios)) return null;
  return counter.count(call).then((tokens) => {
    if (tokens === null) return false;
    call.counted = {
      provider: call.account.adapter.id,
      model: call.facts.model,
      tokens: withMargin(tokens),
    };
    return true;
  });
}

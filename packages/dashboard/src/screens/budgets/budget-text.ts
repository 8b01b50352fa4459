import type { BudgetView } from '@tallygate/contract/api/budgets';
import { formatCount } from '../../ui/format/count.ts';
import { formatUsd } from '../../ui/format/money.ts';

const UNITS: Readonly<Record<BudgetView['measure'], string>> = {
  usd: '',
  tokens: ' tokens',
  weighted_tokens: ' weighted tokens',
  requests: ' requests',
};
const WINDOWS: Readonly<Record<BudgetView['window'], string>> = {
  hour: 'an hour',
  day: 'a day',
  week: 'a week',
  month: 'a month',
  total: 'in all',
  custom: '',
};

/** An amount in a budget's measure: `$12.50`, `1.2 M tokens`. */
export function amountText(measure: BudgetView['measure'], amount: string | number): string {
  return typeof amount === 'string' ? formatUsd(amount) : `${formatCount(amount)}${UNITS[measure]}`;
}

export function limitOf(budget: BudgetView): string | number {
  return budget.limitUsd ?? budget.limitTokens ?? budget.limitWeightedTokens ?? budget.limitRequests ?? 0;
}

const LENGTHS: Readonly<Record<string, string>> = {
  hour: 'hour',
  day: '24 hours',
  week: '7 days',
  month: '30 days',
};

function everyText({ window, windowHours }: BudgetView): string {
  return windowHours === null ? WINDOWS[window] : `every ${windowHours} hours`;
}

function slidingText({ window, windowHours }: BudgetView): string {
  return `in any ${windowHours === null ? LENGTHS[window] : `${windowHours} hours`}`;
}

/** When a budget starts anew, or when what it counts has left; `when` writes an instant. */
export function anewText({ sliding, status }: BudgetView, when: (at: string) => string): string {
  const { resetsAt, spent, held } = status;
  if (resetsAt === null) return 'It does not start anew.';
  if (!sliding) return `Starts anew ${when(resetsAt)}.`;
  if (Number(spent) + Number(held) === 0) return 'Nothing counts right now.';
  return `All that counts now will have left ${when(resetsAt)}.`;
}

/** `$50.00 a month`, `$5.00 in any 24 hours`. */
export function allowanceText(budget: BudgetView): string {
  const every = budget.sliding ? slidingText(budget) : everyText(budget);
  return `${amountText(budget.measure, limitOf(budget))} ${every}`;
}

/** What the budget does, in a few words. */
export const MODE_TEXT: Readonly<Record<BudgetView['mode'], string>> = {
  hard: 'refuses what does not fit',
  clamp: 'shortens answers, then refuses',
  soft: 'only counts and flags',
};

/** What at the pace so far becomes of a budget; null when there is no pace, or too little of the window has passed. */
export type Forecast = { kind: 'lasts'; ratio: number } | { kind: 'gone'; atMs: number } | null;

/** Right after a window began its pace says nothing. */
const MIN_PASSED_MS = 10 * 60_000;
/** Without an end, a budget lasts when it is not gone within a month. */
const HORIZON_MS = 30 * 86_400_000;

/** Goes on spending as the window did so far; a sliding one stays as full as it is at its own pace. */
export function forecast(budget: BudgetView, nowMs: number): Forecast {
  const { status } = budget;
  const limit = Number(limitOf(budget));
  const spent = Number(status.spent);
  const startMs = Date.parse(status.windowStart);
  const passedMs = nowMs - startMs;
  if (budget.sliding || limit === 0 || spent === 0 || spent >= limit || passedMs < MIN_PASSED_MS) return null;
  const perMs = spent / passedMs;
  const goneAtMs = nowMs + (limit - spent) / perMs;
  const endMs = status.resetsAt === null ? nowMs + HORIZON_MS : Date.parse(status.resetsAt);
  return goneAtMs < endMs
    ? { kind: 'gone', atMs: goneAtMs }
    : { kind: 'lasts', ratio: (perMs * (endMs - startMs)) / limit };
}

/** Shares of the limit that are spent and held, for a gauge; together never more than one. */
export function shares(budget: BudgetView): { spent: number; held: number } {
  const limit = Number(limitOf(budget));
  if (limit === 0) return { spent: 1, held: 0 };
  const spent = Math.min(1, Math.max(0, Number(budget.status.spent) / limit));
  return { spent, held: Math.min(1 - spent, Math.max(0, Number(budget.status.held) / limit)) };
}

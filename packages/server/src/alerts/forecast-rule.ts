import { budgetText } from './amounts.ts';
import { budgetFacts } from './budget-rule.ts';
import { budgetPage } from './pages.ts';
import type { Reading } from './reading.ts';
import type { AlertSources, BudgetReading } from './sources.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A budget without an end is spoken of when it is gone within this long. */
const HORIZON_MS = 7 * DAY_MS;
const MIN_PACE_MS = HOUR_MS;
const MAX_PACE_MS = DAY_MS;
/** Right after a window began its pace says nothing. */
const MIN_ELAPSED_MS = 10 * 60_000;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/**
 * How far back the pace is measured: a quarter of what has passed of the window, between an hour and a day, and from a
 * full hour on, so that it is read from the ledger's sums instead of its rows.
 */
export function paceSpanMs({ startMs }: Pick<BudgetReading, 'startMs'>, nowMs: number): number {
  const elapsed = Math.max(0, nowMs - startMs);
  const wanted = Math.max(MIN_PACE_MS, Math.min(MAX_PACE_MS, elapsed / 4));
  const fullHourMs = Math.floor((nowMs - wanted) / HOUR_MS) * HOUR_MS;
  return nowMs - Math.max(startMs, fullHourMs);
}

/**
 * When the budget is gone at this pace; null when it lasts its window, or there is no pace. At a steady pace a sliding one
 * stays as full as it is: as much leaves as comes.
 */
export function goneAtMs(
  budget: Pick<BudgetReading, 'limit' | 'spent' | 'sliding' | 'startMs' | 'endMs'>,
  pace: { amount: number; spanMs: number },
  nowMs: number,
): number | null {
  if (nowMs - budget.startMs < MIN_ELAPSED_MS) return null;
  const left = budget.limit - budget.spent;
  if (left <= 0) return nowMs;
  if (budget.sliding || pace.amount <= 0 || pace.spanMs <= 0) return null;
  const at = nowMs + (left / pace.amount) * pace.spanMs;
  const endMs = Number.isFinite(budget.endMs) ? budget.endMs : nowMs + HORIZON_MS;
  return at < endMs ? at : null;
}

/** Nothing is later than now, so the hour under way can be read whole. */
const hourAfter = (nowMs: number): number => (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;

function whenText(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = `${at.toISOString().slice(11, 16)} UTC`;
  if (atMs - nowMs < DAY_MS) return `at ${time}`;
  if (atMs - nowMs < 7 * DAY_MS) return `by ${DAYS[at.getUTCDay()]}, ${time}`;
  return `on ${at.toISOString().slice(0, 10)}`;
}

function reading(budget: BudgetReading, pace: { amount: number; spanMs: number }, nowMs: number): Reading {
  const { id, name, measure, environment } = budget;
  const gone = goneAtMs(budget, pace, nowMs);
  const hours = Math.max(1, Math.round(pace.spanMs / HOUR_MS));
  const words = gone === null ? '' : gone <= nowMs ? 'is gone' : `is gone ${whenText(gone, nowMs)}`;
  return {
    subject: `budget:${id}`,
    environment,
    firing: gone !== null,
    sinceMs: null,
    title: gone === null ? `Budget ${name} lasts at the present pace` : `Budget ${name} ${words}`,
    text:
      gone === null
        ? `At the pace of the last ${hours} h the budget lasts.`
        : `At the pace of the last ${hours} h (${budgetText(measure, pace.amount)}) what is left, ${budgetText(measure, Math.max(0, budget.limit - budget.spent))}, ${words}.`,
    facts: budgetFacts(budget),
    path: budgetPage(id),
  };
}

/** Budgets that are gone before their window ends if things go on as they do. */
export async function readForecasts(
  sources: AlertSources,
  budgets: readonly BudgetReading[],
  nowMs: number,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const budget of budgets) {
    const spanMs = paceSpanMs(budget, nowMs);
    const amount = spanMs <= 0 ? 0 : await sources.spentBetween(budget.id, nowMs - spanMs, hourAfter(nowMs));
    readings.push(reading(budget, { amount, spanMs }, nowMs));
  }
  return readings;
}

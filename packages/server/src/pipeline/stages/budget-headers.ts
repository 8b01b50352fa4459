import type { Dialect } from '../../providers/provider.ts';
import type { Call } from '../call.ts';

/** Claude Code warns from this share on (and again at 95 %). */
const WARNING_RATIO = 0.75;

/**
 * Tells the client how its budgets stand, on the head of an answer: what it was clamped to, which soft budgets are
 * used up, and in dialects that have them the utilisation headers that clients turn into a warning, whatever format the
 * upstream speaks. An upstream's own utilisation headers are left alone: they are about the account's limits.
 * @param list flat list of name, value; added to
 * @param prefixes what the names of utilisation headers begin with, by dialect of the client
 */
export function addBudgetHeaders(
  list: string[],
  { held, route }: Call,
  prefixes: Readonly<Record<Dialect, string | null>>,
): void {
  if (held === null) return;
  const { hold } = held;
  if (hold.clampedTo !== null) list.push('x-tallygate-clamped-output', String(hold.clampedTo));
  const exceeded = hold.exceeded();
  if (exceeded.length > 0)
    list.push('x-tallygate-budget-exceeded', exceeded.map(({ budget }) => budget.id).join(','));
  const prefix = prefixes[route.dialect];
  if (prefix !== null && !hasOwn(list, prefix)) addUtilisation(list, prefix, hold.fullest());
}

function hasOwn(list: readonly string[], prefix: string): boolean {
  return list.some((name, i) => i % 2 === 0 && name.toLowerCase().startsWith(prefix));
}

/** The client knows two windows: a short one of five hours and a long one of seven days. */
function addUtilisation(
  list: string[],
  prefix: string,
  fullest: ReturnType<NonNullable<Call['held']>['hold']['fullest']>,
): void {
  if (fullest === null) return;
  const { account, window, ratio } = fullest;
  const short = account.budget.window === 'hour' || account.budget.window === 'day';
  const name = short ? '5h' : '7d';
  const status = ratio >= WARNING_RATIO ? 'allowed_warning' : 'allowed';
  list.push(`${prefix}status`, status, `${prefix}${name}-status`, status);
  list.push(`${prefix}representative-claim`, short ? 'five_hour' : 'seven_day');
  list.push(`${prefix}${name}-utilization`, ratio.toFixed(4));
  if (!Number.isFinite(window.endMs)) return;
  const reset = String(Math.floor(window.endMs / 1000));
  list.push(`${prefix}reset`, reset, `${prefix}${name}-reset`, reset);
}

import { nameTable } from '../../kernel/name-table.ts';
import type { Dialect } from '../../providers/provider.ts';
import type { Call } from '../call.ts';

/** Claude Code warns from this share on (and again at 95 %). */
const WARNING_RATIO = 0.75;
/** One for each dialect that has such headers. */
const MAX_PREFIXES = 16;

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

/** Bit that tells an ASCII capital from its small letter. */
const CASE = 0x20;

/** Whether an answer has utilisation headers of its own; nearly all names differ in their first letter already. */
function hasOwn(list: readonly string[], prefix: string): boolean {
  const first = prefix.charCodeAt(0);
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? '';
    if ((name.charCodeAt(0) | CASE) === first && name.toLowerCase().startsWith(prefix)) return true;
  }
  return false;
}

/** Names of utilisation headers with one prefix. */
interface Names {
  status: string;
  claim: string;
  reset: string;
  short: { claim: string; status: string; utilization: string; reset: string };
  long: Names['short'];
}

const windowNames = (prefix: string, window: string, claim: string): Names['short'] => ({
  claim,
  status: `${prefix}${window}-status`,
  utilization: `${prefix}${window}-utilization`,
  reset: `${prefix}${window}-reset`,
});

/** The client knows two windows: a short one of five hours and a long one of seven days. */
const namesWith = nameTable(
  (prefix: string): Names => ({
    status: `${prefix}status`,
    claim: `${prefix}representative-claim`,
    reset: `${prefix}reset`,
    short: windowNames(prefix, '5h', 'five_hour'),
    long: windowNames(prefix, '7d', 'seven_day'),
  }),
  MAX_PREFIXES,
);

function addUtilisation(
  list: string[],
  prefix: string,
  fullest: ReturnType<NonNullable<Call['held']>['hold']['fullest']>,
): void {
  if (fullest === null) return;
  const { account, window, ratio } = fullest;
  const { window: length } = account.budget;
  const names = namesWith(prefix);
  const own = length === 'hour' || length === 'day' ? names.short : names.long;
  const status = ratio >= WARNING_RATIO ? 'allowed_warning' : 'allowed';
  list.push(names.status, status, own.status, status, names.claim, own.claim);
  list.push(own.utilization, ratio.toFixed(4));
  if (!Number.isFinite(window.endMs)) return;
  const reset = String(Math.floor(window.endMs / 1000));
  list.push(names.reset, reset, own.reset, reset);
}

import type { RequestView } from '@tallygate/contract/api/usage';
import { parseUsd } from '@tallygate/contract/money';
import type { TokenCounts } from '@tallygate/contract/usage';
import type { CallRecord } from './load.ts';
import { expectedRow, type Plan } from './plan.ts';

/** Everything known of one life of the server. */
export interface Evidence {
  records: readonly CallRecord[];
  /** How often each session reached an upstream. */
  reached: ReadonlyMap<string, number>;
  /** Rows of the ledger that started in this life, sub-calls included. */
  rows: readonly RequestView[];
  /** The server was killed; without that nothing may be interrupted. */
  killed: boolean;
}

export interface Verdict {
  /** In words, one a violation of what the ledger promises. */
  violations: string[];
  requests: number;
  complete: number;
  /** Rows the death of the server left to the next start. */
  interrupted: number;
  /** Settled, though the client was cut off before it had the whole answer. */
  settledUnseen: number;
}

const same = (known: Partial<TokenCounts>, tokens: TokenCounts): boolean =>
  Object.entries(known).every(([bucket, count]) => tokens[bucket as keyof TokenCounts] === count);

const costOf = (row: RequestView): bigint | null => (row.costUsd === null ? null : parseUsd(row.costUsd));

/** Why a row does not say what its request came to; empty when it does. */
export function rowDifferences(plan: Plan, row: RequestView, subCalls: readonly RequestView[]): string[] {
  const expected = expectedRow(plan);
  const found: string[] = [];
  for (const field of ['status', 'settleStatus', 'httpStatus', 'upstreamRequestId'] as const) {
    if (row[field] !== expected[field]) found.push(`${field} ${row[field]} instead of ${expected[field]}`);
  }
  if (expected.tokens !== null) {
    if (!same(expected.tokens, row.tokens)) found.push(`tokens ${JSON.stringify(row.tokens)}`);
    if (costOf(row) !== expected.costNanoUsd) found.push(`cost ${row.costUsd}`);
  }
  const { subCall } = expected;
  if (subCalls.length !== (subCall === null ? 0 : 1)) found.push(`${subCalls.length} sub-calls`);
  for (const child of subCall === null ? [] : subCalls) {
    if (!same(subCall?.tokens ?? {}, child.tokens) || costOf(child) !== subCall?.costNanoUsd)
      found.push(`sub-call ${JSON.stringify(child)}`);
  }
  return found;
}

/** What is asked of the row of a request that died with the server. */
function interruptedDifferences(row: RequestView): string[] {
  const { settleStatus, endedAt, latencyMs, costUsd, totalTokens } = row;
  const claims = { endedAt, latencyMs, costUsd, totalTokens };
  const found = settleStatus === 'interrupted' ? [] : [`settleStatus ${settleStatus} though interrupted`];
  for (const [field, value] of Object.entries(claims))
    if (value !== null) found.push(`${field} ${value} though nobody knows`);
  return found;
}

/** The client that left may have been noticed or not, before or after the answer was complete. */
function leftDifferences(plan: Plan, row: RequestView, subCalls: readonly RequestView[]): string[] {
  if (row.status !== 'aborted') return rowDifferences(plan, row, subCalls);
  const { tokens } = expectedRow(plan);
  const isWrong = row.settleStatus === 'final' && tokens !== null && !same(tokens, row.tokens);
  return isWrong ? [`final tokens ${JSON.stringify(row.tokens)}`] : [];
}

function mayBeInterrupted(record: CallRecord, killed: boolean): boolean {
  if (!killed || record.ending === 'complete') return false;
  // One that was cut while the server lived was cut by its upstream, and that was journaled first.
  return record.ending === 'left' || !record.beforeKill;
}

function judgeRow(record: CallRecord, row: RequestView, { subCalls, killed }: RowContext): string[] {
  const { plan, ending } = record;
  if (row.status !== 'interrupted')
    return (ending === 'left' ? leftDifferences : rowDifferences)(plan, row, subCalls);
  if (!mayBeInterrupted(record, killed)) return ['interrupted, and nothing had interrupted it'];
  return [...interruptedDifferences(row), ...(subCalls.length > 0 ? ['sub-calls though interrupted'] : [])];
}

/** Whether the client got what the plan has for it, as far as that does not depend on the ledger. */
function clientDifferences({ plan, ending, httpStatus, beforeKill }: CallRecord, reached: number): string[] {
  const status = plan.behaviour === 'dropped' ? 502 : plan.httpStatus;
  if (ending === 'complete' && httpStatus !== status) return [`answered ${httpStatus} instead of ${status}`];
  const isCutShort = ending === 'cut' && beforeKill && reached > 0 && plan.behaviour !== 'cut';
  return isCutShort ? ['cut short, and nobody had killed the server'] : [];
}

interface RowContext {
  subCalls: readonly RequestView[];
  killed: boolean;
}

/** Rows of one life, by the session of their request and by their parent. */
class Rows {
  readonly #main = new Map<string, RequestView[]>();
  readonly #children = new Map<string, RequestView[]>();

  constructor(rows: readonly RequestView[]) {
    for (const row of rows) {
      const [group, key] =
        row.parentId === null ? [this.#main, row.sessionId ?? ''] : [this.#children, row.parentId];
      group.set(key, [...(group.get(key) ?? []), row]);
    }
  }

  /** Each session can be taken once; what is left was asked for by nobody. */
  take(session: string): RequestView[] {
    const found = this.#main.get(session) ?? [];
    this.#main.delete(session);
    return found;
  }

  /** Each request's sub-calls can be taken once. */
  takeSubCalls(id: string): RequestView[] {
    const found = this.#children.get(id) ?? [];
    this.#children.delete(id);
    return found;
  }

  left(): RequestView[] {
    return [...this.#main.values(), ...this.#children.values()].flat();
  }
}

function judgeOne(
  record: CallRecord,
  rows: Rows,
  evidence: Evidence,
): { found: string[]; row: RequestView | null } {
  const reached = evidence.reached.get(record.plan.session) ?? 0;
  const [row = null, ...more] = rows.take(record.plan.session);
  const found = clientDifferences(record, reached);
  if (reached > 1) found.push(`reached the upstream ${reached} times`);
  if (more.length > 0) found.push(`${more.length + 1} rows`);
  if (row === null) {
    const isMissing = reached > 0 || record.ending === 'complete';
    return { found: isMissing ? [...found, 'not in the ledger'] : found, row };
  }
  if (record.ending === 'turned-away')
    return { found: [...found, 'turned away, and yet in the ledger'], row };
  const subCalls = rows.takeSubCalls(row.id);
  found.push(...judgeRow(record, row, { subCalls, killed: evidence.killed }));
  return { found, row };
}

/** Holds what the clients and the upstreams saw against what the ledger says (CF-17). */
export function judge(evidence: Evidence): Verdict {
  const rows = new Rows(evidence.rows);
  const verdict: Verdict = {
    violations: [],
    requests: evidence.records.length,
    complete: 0,
    interrupted: 0,
    settledUnseen: 0,
  };
  const sent = new Set<string>();
  for (const record of evidence.records) {
    const { plan, ending, beforeKill } = record;
    sent.add(plan.session);
    const { found, row } = judgeOne(record, rows, evidence);
    const what = `${plan.session} (${plan.api}${plan.stream ? ' stream' : ''}, ${plan.behaviour}, client: ${ending})`;
    for (const why of found) verdict.violations.push(`${what}: ${why}`);
    if (ending === 'complete') verdict.complete++;
    if (row?.status === 'interrupted') verdict.interrupted++;
    else if (row !== null && ending === 'cut' && !beforeKill) verdict.settledUnseen++;
  }
  for (const row of rows.left())
    verdict.violations.push(`row ${row.id} (${row.sessionId}): nobody asked for it`);
  for (const session of evidence.reached.keys())
    if (!sent.has(session))
      verdict.violations.push(`${session}: reached the upstream, and no client had sent it`);
  return verdict;
}

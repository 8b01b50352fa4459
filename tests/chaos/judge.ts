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
function differences(plan: Plan, row: RequestView, subCalls: readonly RequestView[]): string[] {
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
  if (row.status !== 'aborted') return differences(plan, row, subCalls);
  const { tokens } = expectedRow(plan);
  const isWrong = row.settleStatus === 'final' && tokens !== null && !same(tokens, row.tokens);
  return isWrong ? [`final tokens ${JSON.stringify(row.tokens)}`] : [];
}

function mayBeInterrupted(record: CallRecord, killed: boolean): boolean {
  if (!killed || record.ending === 'complete') return false;
  // One that was cut while the server lived was cut by its upstream, and that was journaled first.
  return record.ending === 'left' || !record.beforeKill;
}

function judgeRow(record: CallRecord, row: RequestView, evidence: Evidence): string[] {
  const { plan } = record;
  const subCalls = evidence.rows.filter((other) => other.parentId === row.id);
  if (row.status === 'interrupted' && row.settleStatus !== 'estimated') {
    if (!mayBeInterrupted(record, evidence.killed)) return [`interrupted though its client saw ${record.ending}`];
    return [...interruptedDifferences(row), ...(subCalls.length > 0 ? ['sub-calls though interrupted'] : [])];
  }
  return record.ending === 'left' || (record.ending === 'cut' && plan.leavesAfterMs !== null)
    ? leftDifferences(plan, row, subCalls)
    : differences(plan, row, subCalls);
}

function judgeOne(record: CallRecord, rows: readonly RequestView[], evidence: Evidence): string[] {
  const reached = evidence.reached.get(record.plan.session) ?? 0;
  const found: string[] = [];
  if (reached > 1) found.push(`reached the upstream ${reached} times`);
  if (rows.length > 1) found.push(`${rows.length} rows`);
  if (record.ending === 'turned-away') {
    if (rows.length + reached > 0) found.push('turned away, and yet served');
    return found;
  }
  if (rows.length === 0 && (reached > 0 || record.ending === 'complete')) found.push('not in the ledger');
  for (const row of rows) found.push(...judgeRow(record, row, evidence));
  return found;
}

/** Holds what the clients and the upstreams saw against what the ledger says (CF-17). */
export function judge(evidence: Evidence): Verdict {
  const violations: string[] = [];
  const bySession = new Map<string, RequestView[]>();
  for (const row of evidence.rows) {
    if (row.parentId !== null) continue;
    const session = row.sessionId ?? '';
    bySession.set(session, [...(bySession.get(session) ?? []), row]);
  }
  let interrupted = 0;
  let settledUnseen = 0;
  for (const record of evidence.records) {
    const { plan, ending } = record;
    const rows = bySession.get(plan.session) ?? [];
    bySession.delete(plan.session);
    const found = judgeOne(record, rows, evidence);
    const what = `${plan.session} (${plan.api}${plan.stream ? ' stream' : ''}, ${plan.behaviour}, client: ${ending})`;
    for (const why of found) violations.push(`${what}: ${why}`);
    const settled = rows[0] !== undefined && rows[0].settleStatus !== 'interrupted';
    if (!settled) interrupted += rows.length;
    else if (ending === 'cut' && !record.beforeKill) settledUnseen++;
  }
  for (const [session, rows] of bySession) violations.push(`${session}: ${rows.length} rows that nobody asked for`);
  for (const session of evidence.reached.keys())
    if (!evidence.records.some(({ plan }) => plan.session === session))
      violations.push(`${session}: reached the upstream, but no client sent it`);
  return {
    violations,
    requests: evidence.records.length,
    complete: evidence.records.filter(({ ending }) => ending === 'complete').length,
    interrupted,
    settledUnseen,
  };
}

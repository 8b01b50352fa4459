import type { RequestView } from '@tallygate/contract/api/usage';
import { rowDifferences } from './judge.ts';
import type { CallRecord } from './load.ts';
import { expectedRow } from './plan.ts';

export interface ClusterEvidence {
  records: readonly CallRecord[];
  /** How often each session reached an upstream. */
  reached: ReadonlyMap<string, number>;
  rows: readonly RequestView[];
}

export interface ClusterVerdict {
  violations: string[];
  requests: number;
  /** Answered as the upstream answered. */
  answered: number;
  /** Refused by the gate itself, before anything was sent. */
  refused: number;
  interrupted: number;
}

interface Found {
  row: RequestView | null;
  subCalls: readonly RequestView[];
}

/** What the row of an answered request has to say: all of it where it went well, else how it ended. */
function answeredDifferences({ plan }: CallRecord, { row, subCalls }: Found): string[] {
  if (row === null) return [];
  const expected = expectedRow(plan);
  if (expected.status === 'ok') return rowDifferences(plan, row, subCalls);
  return row.status === expected.status ? [] : [`status ${row.status} instead of ${expected.status}`];
}

/** A request that somebody cut: whatever its row claims to know for sure has to be true. */
function cutDifferences({ plan }: CallRecord, { row, subCalls }: Found): string[] {
  return row?.status === 'ok' && row.settleStatus === 'final' ? rowDifferences(plan, row, subCalls) : [];
}

const isRefusal = ({ httpStatus }: CallRecord, reached: number): boolean =>
  reached === 0 && (httpStatus === 429 || httpStatus === 503);

/**
 * Holds what clients and upstreams saw of several nodes against the ledger they share, whatever was done to them
 * meanwhile: what reached an upstream is there once, what did not is not there as if it had, and what was answered whole
 * is there as it was.
 */
export function judgeCluster({ records, reached, rows }: ClusterEvidence): ClusterVerdict {
  const main = Map.groupBy(
    rows.filter(({ parentId }) => parentId === null),
    ({ sessionId }) => sessionId ?? '',
  );
  const children = Map.groupBy(
    rows.filter(({ parentId }) => parentId !== null),
    ({ parentId }) => parentId ?? '',
  );
  const verdict: ClusterVerdict = {
    ...{ violations: [], requests: records.length, answered: 0, refused: 0, interrupted: 0 },
  };
  for (const record of records) {
    const { session, api, behaviour } = record.plan;
    const times = reached.get(session) ?? 0;
    const [row = null, ...more] = main.get(session) ?? [];
    main.delete(session);
    const subCalls = children.get(row?.id ?? '') ?? [];
    children.delete(row?.id ?? '');
    const found: string[] = [];
    if (times > 1) found.push(`reached the upstream ${times} times`);
    if (more.length > 0) found.push(`in the ledger ${more.length + 1} times`);
    if (times > 0 && row === null) found.push('not in the ledger');
    if (times === 0 && row?.status === 'ok') found.push('in the ledger as answered, and never sent');
    if (isRefusal(record, times)) verdict.refused++;
    else if (record.ending === 'complete') {
      verdict.answered++;
      if (row === null && times === 0) found.push('answered, and not in the ledger');
      found.push(...answeredDifferences(record, { row, subCalls }));
    } else found.push(...cutDifferences(record, { row, subCalls }));
    if (row?.status === 'interrupted') verdict.interrupted++;
    for (const why of found)
      verdict.violations.push(`${session} (${api}, ${behaviour}, client: ${record.ending}): ${why}`);
  }
  for (const left of [...main.values(), ...children.values()].flat())
    verdict.violations.push(`row ${left.id} (${left.sessionId}): nobody asked for it`);
  return verdict;
}

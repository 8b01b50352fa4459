import type { RequestView } from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import { describe, expect, it } from 'vitest';
import { type ClusterEvidence, judgeCluster } from './cluster-judge.ts';
import type { CallRecord } from './load.ts';
import { expectedRow, type Plan } from './plan.ts';

const PLAN: Plan = {
  ...{ session: 's1', upstreamRequestId: 'req_s1', api: 'messages', stream: false, behaviour: 'whole' },
  ...{ httpStatus: 200, inputTokens: 10, cachedTokens: 0, outputTokens: 5, pauseMs: 0 },
  ...{ leavesAfterMs: null, drains: false },
};
const ANSWERED: CallRecord = { plan: PLAN, ending: 'complete', httpStatus: 200, beforeKill: true };

/** The row that the ledger should have, with changes. */
function rowOf(change: Partial<RequestView> = {}): RequestView {
  const { status, settleStatus, httpStatus, upstreamRequestId, tokens, costNanoUsd } = expectedRow(PLAN);
  const row = {
    id: 'r1',
    parentId: null,
    sessionId: 's1',
    status,
    settleStatus,
    httpStatus,
    upstreamRequestId,
  };
  return { ...row, tokens, costUsd: formatNanoUsd(costNanoUsd ?? 0n), ...change } as RequestView;
}
const judged = (change: Partial<ClusterEvidence>) =>
  judgeCluster({ records: [ANSWERED], reached: new Map([['s1', 1]]), rows: [rowOf()], ...change }).violations;

describe('the judge of a cluster notices (X-08)', () => {
  it('nothing when all is as it should be', () => {
    const all = { records: [ANSWERED], reached: new Map([['s1', 1]]), rows: [rowOf()] };
    expect(judgeCluster(all)).toEqual({
      violations: [],
      requests: 1,
      answered: 1,
      refused: 0,
      interrupted: 0,
    });
  });

  it.each<[string, Partial<ClusterEvidence>, RegExp]>([
    ['a row that is missing', { rows: [] }, /not in the ledger/],
    ['a row too many', { rows: [rowOf(), rowOf({ id: 'r2' })] }, /in the ledger 2 times/],
    ['a request sent twice', { reached: new Map([['s1', 2]]) }, /reached the upstream 2 times/],
    ['a wrong cost', { rows: [rowOf({ costUsd: '1' })] }, /cost 1/],
    [
      'an answer that the ledger calls interrupted',
      { rows: [rowOf({ status: 'interrupted' })] },
      /interrupted/,
    ],
    ['a row of a request that was never sent', { reached: new Map() }, /never sent/],
    [
      'a row that nobody asked for',
      { rows: [rowOf(), rowOf({ id: 'r2', sessionId: 'other' })] },
      /nobody asked for it/,
    ],
    [
      'a cut request that is final with wrong tokens',
      {
        records: [{ ...ANSWERED, ending: 'cut' }],
        rows: [rowOf({ tokens: { ...rowOf().tokens, cacheRead: 9 } })],
      },
      /tokens/,
    ],
  ])('%s', (_name, change, violation) => {
    expect(judged(change)).toEqual([expect.stringMatching(violation)]);
  });

  it('that a refusal owes no row, and a cut request may be interrupted', () => {
    const refused = { ...ANSWERED, httpStatus: 503 };
    expect(judged({ records: [refused], reached: new Map(), rows: [] })).toEqual([]);
    const rows = [rowOf({ status: 'interrupted', settleStatus: 'interrupted' })];
    expect(judged({ records: [{ ...ANSWERED, ending: 'cut' }], rows })).toEqual([]);
  });
});

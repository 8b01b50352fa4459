import type { ErrorCode } from '@tallygate/contract/errors';
import { AppError } from '../../kernel/errors.ts';
import type { UsageSumsRow } from '../store.ts';

/** Parts of `Store` that another thread can be asked to run. */
export type StorePart =
  | 'store'
  | 'config'
  | 'identity'
  | 'people'
  | 'passkeys'
  | 'sso'
  | 'ledger'
  | 'usage'
  | 'maintenance'
  | 'audit'
  | 'incident'
  | 'vault'
  | 'budgets'
  | 'limits'
  | 'pool'
  | 'rules'
  | 'oauth'
  | 'leases'
  | 'nodes'
  | 'jobs'
  | 'alerts';

export interface ThreadData {
  url: string;
  readOnly: boolean;
  cacheMib: number;
}
export interface ThreadCall {
  id: number;
  part: StorePart;
  method: string;
  args: unknown[];
}
export interface ThreadFailure {
  code: ErrorCode | null;
  message: string;
}
export type ThreadReply =
  | { ready: true }
  | { failed: ThreadFailure }
  | { id: number; result: unknown }
  | { id: number; failed: ThreadFailure };

/** An error in a form that crosses threads with its code. */
export function describeFailure(error: unknown): ThreadFailure {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: null, message: error instanceof Error ? error.message : String(error) };
}

/** The error that `describeFailure` described. */
export function reviveFailure(failure: ThreadFailure): Error {
  if (failure.code === null) return new Error(failure.message);
  return new AppError(failure.code, { detail: failure.message });
}

type Bins = UsageSumsRow['latencyBins'];
/** Rows of sums whose histograms were taken out: for each row its two histograms, as length, then bin and count. */
interface PackedSums {
  packed: Float64Array;
  single: boolean;
  rows: Omit<UsageSumsRow, 'latencyBins' | 'ttftBins'>[];
}

function isSums(value: unknown): value is UsageSumsRow {
  return typeof value === 'object' && value !== null && 'latencyBins' in value && 'ttftBins' in value;
}

/** Thousands of small maps are slow to copy between threads: sums send theirs as one array of numbers. */
export function packResult(result: unknown): unknown {
  const rows: unknown[] = Array.isArray(result) ? result : [result];
  if (!rows.every(isSums)) return result;
  const size = rows.reduce((sum, row) => sum + 2 + 2 * (row.latencyBins.size + row.ttftBins.size), 0);
  const packed = new Float64Array(size);
  let at = 0;
  const bare = rows.map(({ latencyBins, ttftBins, ...rest }) => {
    for (const bins of [latencyBins, ttftBins]) {
      packed[at++] = bins.size;
      for (const [bin, count] of bins) {
        packed[at++] = bin;
        packed[at++] = count;
      }
    }
    return rest;
  });
  return { packed, single: !Array.isArray(result), rows: bare } satisfies PackedSums;
}

/** The result that `packResult` packed. */
export function unpackResult(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('packed' in result)) return result;
  const { packed, single, rows } = result as PackedSums;
  let at = 0;
  const nextBins = (): Bins => {
    const bins: Bins = new Map();
    const end = at + 1 + (packed[at] ?? 0) * 2;
    for (at += 1; at < end; at += 2) bins.set(packed[at] ?? 0, packed[at + 1] ?? 0);
    return bins;
  };
  const sums = rows.map((row) => ({ ...row, latencyBins: nextBins(), ttftBins: nextBins() }));
  return single ? sums[0] : sums;
}

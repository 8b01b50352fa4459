import type { ErrorCode } from '@tallygate/contract/errors';
import { AppError } from '../../kernel/errors.ts';

/** Parts of `Store` that another thread can be asked to run. */
export type StorePart = 'store' | 'config' | 'identity' | 'ledger' | 'usage' | 'maintenance';

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

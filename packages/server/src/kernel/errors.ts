import { ERROR_TABLE, type ErrorCode } from '@tallygate/contract/errors';

/**
 * An error with a row in the error table. Thrown anywhere, rendered once per dialect at the edge.
 * `detail` replaces the table's message and must be safe to show: no secrets, no upstream bodies, no stack.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    options: { detail?: string; details?: unknown; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(
      options.detail ?? ERROR_TABLE[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

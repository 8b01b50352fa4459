import { ERROR_TABLE, type ErrorCode } from '@tallygate/contract/errors';

const NO_HEADERS: readonly string[] = [];

/**
 * An error with a row in the error table. Thrown anywhere, rendered once per dialect at the edge.
 * `detail` replaces the table's message and must be safe to show: no secrets, no upstream bodies, no stack.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryAfterSeconds: number | null;
  /** More headers for the answer: flat list of name, value. */
  readonly headers: readonly string[];

  constructor(
    code: ErrorCode,
    options: {
      detail?: string;
      details?: unknown;
      cause?: unknown;
      retryAfterSeconds?: number;
      headers?: readonly string[];
    } = {},
  ) {
    super(
      options.detail ?? ERROR_TABLE[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.headers = options.headers ?? NO_HEADERS;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

import type { ApiErrorBody } from '@tallygate/contract/errors';
import { AppError } from '../kernel/errors.ts';

/** The one form of an error of our own API. */
export function apiErrorBody(error: AppError, requestId: string): ApiErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      requestId,
      docs: `docs/errors/${error.code}.md`,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/** Codes of Fastify's own errors that have a row in our table; the rest of its 4xx is an invalid request. */
const FRAMEWORK_CODES: Readonly<Record<string, ConstructorParameters<typeof AppError>[0]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
};

/** Whatever was thrown, as an error of the table. The framework's messages are not passed on: they may quote input. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK_CODES[code] : undefined;
  if (known !== undefined) return new AppError(known, { cause: error });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('invalid_request', { cause: error });
  }
  return new AppError('internal_error', { cause: error });
}

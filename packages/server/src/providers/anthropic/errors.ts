import type { ErrorCode } from '@tallygate/contract/errors';
import type { ErrorRenderer } from '../provider.ts';

/** Error types of the Messages API by status (platform docs, "Errors"). */
const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [415, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);

/** Claude Code shows a `billing_error` as what it is: a limit on spend, not on speed. */
function typeOf(code: ErrorCode, status: number): string {
  if (code === 'budget_exhausted' || code === 'budget_held') return 'billing_error';
  return TYPE_BY_STATUS.get(status) ?? 'api_error';
}

/** Renders an error of the gate the way the Messages API does, so that Anthropic SDKs raise their own classes. */
export const renderAnthropicError: ErrorRenderer = ({ code, status, message, requestId }) => ({
  contentType: 'application/json',
  body: JSON.stringify({
    type: 'error',
    error: { type: typeOf(code, status), message },
    request_id: requestId,
  }),
});

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

/** Renders an error of the gate the way the Messages API does, so that Anthropic SDKs raise their own classes. */
export const renderAnthropicError: ErrorRenderer = ({ status, message, requestId }) => ({
  contentType: 'application/json',
  body: JSON.stringify({
    type: 'error',
    error: { type: TYPE_BY_STATUS.get(status) ?? 'api_error', message },
    request_id: requestId,
  }),
});

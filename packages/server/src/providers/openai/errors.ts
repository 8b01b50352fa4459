import type { ErrorRenderer } from '../provider.ts';

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Renders an error of the gate the way the OpenAI API does, so that its SDKs raise their own classes. */
export const renderOpenaiError: ErrorRenderer = ({ code, status, message, requestId }) => ({
  contentType: 'application/json',
  body: JSON.stringify({
    error: { message, type: typeOf(status), param: null, code, request_id: requestId },
  }),
});

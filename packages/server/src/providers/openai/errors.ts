import type { ErrorCode } from '@tallygate/contract/errors';
import type { ErrorRenderer } from '../provider.ts';

/** What the API itself answers when the money is used up (guide, "Error codes"). */
const NO_QUOTA = 'insufficient_quota';
const overBudget = (code: ErrorCode): boolean => code === 'budget_exhausted' || code === 'budget_held';

function typeOf(code: ErrorCode, status: number): string {
  if (overBudget(code)) return NO_QUOTA;
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Renders an error of the gate the way the OpenAI API does, so that its SDKs raise their own classes. */
export const renderOpenaiError: ErrorRenderer = ({ code, status, message, requestId }) => ({
  contentType: 'application/json',
  body: JSON.stringify({
    error: {
      message,
      type: typeOf(code, status),
      param: null,
      code: overBudget(code) ? NO_QUOTA : code,
      request_id: requestId,
    },
  }),
});

import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '@tallygate/contract/errors';
import type { AppError } from '../kernel/errors.ts';
import type { Dialect, ErrorRenderer } from '../providers/provider.ts';
import type { GatewayMetrics } from './metrics.ts';

export type ErrorReply = (
  response: ServerResponse,
  context: { dialect: Dialect; requestId: string },
  error: AppError,
) => void;

/** Read by the official SDKs, which otherwise try every 429 again. */
const SHOULD_RETRY: Readonly<Partial<Record<ErrorCode, string>>> = {
  budget_exhausted: 'false',
  budget_held: 'true',
  budget_unpriced: 'false',
};

/** Answers errors of the gate itself the way the client's SDK expects them; never a stack trace, always a request id. */
export function createErrorReply(
  renderers: Readonly<Record<Dialect, ErrorRenderer>>,
  metrics: GatewayMetrics,
): ErrorReply {
  return (response, { dialect, requestId }, error) => {
    metrics.refused(error.code);
    if (response.headersSent || response.destroyed) return void response.destroy();
    const rendered = renderers[dialect]({
      code: error.code,
      status: error.status,
      message: error.message,
      requestId,
    });
    const headers: Record<string, string | number> = {
      'content-type': rendered.contentType,
      'content-length': Buffer.byteLength(rendered.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      'request-id': requestId,
      'x-tallygate-request-id': requestId,
      'x-tallygate-error': error.code,
    };
    if (error.status === 401) headers['www-authenticate'] = 'Bearer';
    const retry = SHOULD_RETRY[error.code];
    if (retry !== undefined) headers['x-should-retry'] = retry;
    if (error.retryAfterSeconds !== null) headers['retry-after'] = error.retryAfterSeconds;
    for (let i = 0; i + 1 < error.headers.length; i += 2)
      headers[error.headers[i] ?? ''] = error.headers[i + 1] ?? '';
    response.writeHead(error.status, headers);
    response.end(rendered.body);
  };
}

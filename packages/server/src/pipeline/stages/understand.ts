import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';
import { setMember } from '../../kernel/json-span.ts';
import type { RequestFacts } from '../../providers/provider.ts';
import type { DataRoute, SentBody } from '../call.ts';
import { splitTarget } from '../request-target.ts';

/**
 * Reads what the gate must know of the body; changes it only where usage has to be asked for.
 * @throws AppError `unsupported_media_type`, `invalid_json`, `invalid_request`
 */
export function understand(
  request: IncomingMessage,
  route: DataRoute,
  sent: Buffer,
): { sent: SentBody; facts: RequestFacts } {
  if (request.headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', {
      detail: 'Send the request body without content-encoding.',
    });
  }
  // The parser would put replacement characters where the upstream's may see something else (RFC 8259 §8.1).
  if (!isUtf8(sent)) {
    throw new AppError('invalid_json', { detail: 'The request body is not valid UTF-8.' });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(sent.toString('utf8'));
  } catch {
    throw new AppError('invalid_json');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new AppError('invalid_request', { detail: 'The request body must be a JSON object.' });
  }
  const facts = route.facts(parsed, request.headers, splitTarget(request.url ?? '').path);
  if (!facts.injectIncludeUsage) return { sent: { body: sent, parsed }, facts };
  const given = (parsed as { stream_options?: unknown }).stream_options;
  const options = { ...(typeof given === 'object' && given !== null ? given : {}), include_usage: true };
  return { sent: { body: setMember(sent, 'stream_options', JSON.stringify(options)), parsed }, facts };
}

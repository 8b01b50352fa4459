import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Reads the whole request body, counting the bytes that really arrive. `done` is called once, never
 * synchronously for a body that is still to come.
 * `request_too_large` leaves the rest unread: the caller answers and closes. A client that goes away while
 * sending ends in `null`: there is nobody to answer.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (error: AppError | null, body: Buffer | null) => void,
): void {
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > maxBytes)
    return done(new AppError('request_too_large'), null);
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let bytes = 0;
  const finish = (error: AppError | null, body: Buffer | null): void => {
    request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) return finish(new AppError('request_too_large'), null);
    if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  };
  const onEnd = (): void => finish(null, more === null ? (first ?? EMPTY) : Buffer.concat(more, bytes));
  const onGone = (): void => finish(null, null);
  request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
}

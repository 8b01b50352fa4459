import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';
import type { BodyRoom } from '../body-room.ts';
import { SURVEYED_BYTES, surveyBody } from './survey-body.ts';

const EMPTY = Buffer.alloc(0);

/** Whoever comes back then finds the slow ones of now gone, or cut. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Reads the whole request body, counting the bytes that really arrive. `done` is called once, never
 * synchronously for a body that is still to come.
 * A large one is looked over before it is handed on, because parsing it cannot be interrupted.
 * `request_too_large` and `bodies_too_large` leave the rest unread: the caller answers and closes. A client that goes
 * away while sending ends in `null`: there is nobody to answer. The room of a body that was read is the caller's to
 * give back; of one that was not, nothing is held.
 */
export function readBody(
  request: IncomingMessage,
  { maxBytes, room }: { maxBytes: number; room: BodyRoom },
  done: (error: AppError | null, body: Buffer | null) => void,
): void {
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > maxBytes)
    return done(new AppError('request_too_large'), null);
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let bytes = 0;
  let taken = 0;
  const detach = (): void => {
    request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
  };
  const finish = (error: AppError | null, body: Buffer | null): void => {
    detach();
    if (body === null) room.give(taken);
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) return finish(new AppError('request_too_large'), null);
    if (!room.take(chunk.length)) {
      return finish(new AppError('bodies_too_large', { retryAfterSeconds: RETRY_AFTER_SECONDS }), null);
    }
    taken = bytes;
    if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  };
  const onEnd = (): void => {
    const body = more === null ? (first ?? EMPTY) : Buffer.concat(more, bytes);
    if (bytes <= SURVEYED_BYTES) return finish(null, body);
    detach();
    // Meanwhile the client may go: whoever waits for the end of the answer to give the room back would wait for good.
    surveyBody(body, (error) => finish(error, error !== null || request.socket.destroyed ? null : body));
  };
  const onGone = (): void => finish(null, null);
  request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
}

import type { AnswerReframer, UsageMeter } from '../providers/provider.ts';
import { TAP_TERMINAL } from '../providers/shared/sse-tap.ts';
import { UsageChunkFilter } from '../providers/shared/withhold-usage-chunk.ts';
import { AnswerMeter } from './answer-meter.ts';
import type { AnswerTransform } from './answer-transform.ts';
import type { Hold } from './attempts.ts';
import type { Call } from './call.ts';
import type { ExchangeDeps } from './exchange-deps.ts';
import { gateHeaders } from './held-head.ts';
import { type ClientHeaders, clientHeaders } from './stages/client-headers.ts';
import { addDropped, translatedHeaders } from './stages/translated-headers.ts';
import { translateAnswer } from './translation/translate-answer.ts';

export const NOTHING: Buffer = Buffer.alloc(0);

/** The way of one answer: what reads it, what changes it, and what the client is told before it. */
export interface AnswerPath {
  /** Undoes the provider's own framing before anything reads the answer; null for nearly all. */
  reframer: AnswerReframer | null;
  /** Null when nothing is metered. */
  meter: AnswerMeter | null;
  /** Null when the client gets the upstream's bytes. */
  transform: AnswerTransform | null;
  sse: boolean;
  /** Body length the upstream announced, null when unknown. */
  announcedBytes: number | null;
  /** A translated answer that came encoded although it was asked not to: nobody can read it. */
  unreadable: boolean;
}

const isPlain = ({ contentEncoding }: ClientHeaders): boolean =>
  contentEncoding === null || contentEncoding === 'identity';

/** Opens the way of an answer whose head has come. The head goes to the client, and is not kept with it. */
export function openAnswer(
  call: Call,
  usageMeter: UsageMeter | null,
  status: number,
  raw: readonly string[],
): { path: AnswerPath; head: ClientHeaders } {
  const { translation, facts, account } = call;
  const withhold = translation === null && facts.injectIncludeUsage && status < 300;
  const head = clientHeaders(raw, {
    requestIdHeader: account.adapter.requestIdHeader,
    dropLength: withhold || translation !== null,
  });
  const framed = account.adapter.envelope?.openAnswer({ status, contentType: head.contentType }) ?? null;
  if (framed !== null) setContentType(head, framed.contentType);
  const sse = head.contentType.startsWith('text/event-stream');
  const path: AnswerPath = {
    reframer: framed?.reframer ?? null,
    meter: null,
    transform: null,
    sse,
    announcedBytes: withhold || translation !== null ? null : head.contentLength,
    unreadable: (translation !== null || framed !== null) && !isPlain(head),
  };
  if (usageMeter !== null && status < 400) {
    path.meter = new AnswerMeter(usageMeter, { sse, encoding: head.contentEncoding });
    if (withhold && sse && head.contentEncoding === null) path.transform = new UsageChunkFilter();
  }
  if (translation !== null) {
    head.list = translatedHeaders(head, translation, status);
    path.transform = translateAnswer(translation, { status, sse });
  }
  return { path, head };
}

/** Names another content, whose length nobody knows. */
function setContentType(head: ClientHeaders, contentType: string): void {
  head.contentType = contentType;
  head.contentLength = null;
  const list: string[] = [];
  for (let i = 0; i < head.list.length; i += 2) {
    const [name = '', value = ''] = [head.list[i], head.list[i + 1]];
    const lower = name.toLowerCase();
    if (lower !== 'content-length') list.push(name, lower === 'content-type' ? contentType : value);
  }
  head.list = list;
}

/**
 * Chunks that arrived together, as the wire format has them; null when they cannot be what they should be.
 * @param ended nothing follows
 */
export function unframed(path: AnswerPath | null, chunks: readonly Buffer[], ended: boolean): Buffer | null {
  const [first = NOTHING] = chunks;
  const joined = chunks.length <= 1 ? first : Buffer.concat(chunks);
  const reframer = path?.reframer ?? null;
  if (reframer === null) return joined;
  try {
    const bytes = joined.length === 0 ? NOTHING : reframer.push(joined);
    return ended ? Buffer.concat([bytes, reframer.end()]) : bytes;
  } catch {
    return null; // whatever an upstream sends ends its own call, and no other
  }
}

/** The head for the client, with what the gate adds to it. */
export function headList(
  call: Call,
  { list }: ClientHeaders,
  tellLimits: ExchangeDeps['tellLimits'],
): string[] {
  list.push(...gateHeaders(call));
  if (call.held !== null || call.lease !== null) tellLimits(list, call);
  return list;
}

/** Whether an answer that is no refusal waits for its first content: what cannot be read along does not. */
export function opensHeld(
  { meter, transform, sse }: AnswerPath,
  { contentEncoding }: ClientHeaders,
  hold: Hold,
  stream: boolean,
): boolean {
  if (transform?.whole === true) return true;
  if (meter === null || hold === 'none') return false;
  return sse ? contentEncoding === null : !stream;
}

/** What the client gets of a chunk; null when the answer turns out not to be what its format allows. */
export function clientBytes(path: AnswerPath | null, chunk: Buffer): Buffer | null {
  const transform = path?.transform ?? null;
  if (transform === null) return chunk;
  try {
    return transform.push(chunk);
  } catch {
    return null; // whatever an upstream sends ends its own call, and no other
  }
}

/**
 * What is left for the client when the upstream has ended; null when the answer turns out not to be one.
 * @param head the head, while the client has not seen it: it names what the answer lost
 */
export function lastBytes(path: AnswerPath | null, head: string[] | null): Buffer | null {
  const transform = path?.transform ?? null;
  if (transform === null) return NOTHING;
  try {
    const rest = transform.end();
    if (head !== null) addDropped(head, transform.losses());
    return rest;
  } catch {
    return null; // whatever an upstream sends ends its own call, and no other
  }
}

/** True when the answer is complete with what the meter has just seen of it, or with so many bytes of it. */
export function ends(path: AnswerPath | null, seen: number, responseBytes: number): boolean {
  if ((seen & TAP_TERMINAL) !== 0) return true;
  const announced = path?.announcedBytes ?? null;
  return announced !== null && responseBytes >= announced;
}

import type { Translation } from '../translation/translation.ts';
import type { ClientHeaders } from './client-headers.ts';

/** Headers that mean the same to clients of every format. */
const KEPT = new Set(['date', 'retry-after', 'x-should-retry', 'server-timing']);
/** Names what a translation left out. */
export const DROPPED_HEADER = 'x-tallygate-dropped';

const ascii = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?');

/** Adds names to what the header says already. */
export function addDropped(list: string[], names: Iterable<string>): void {
  const text = ascii([...names].join(', '));
  if (text === '') return;
  const at = list.indexOf(DROPPED_HEADER);
  if (at === -1) list.push(DROPPED_HEADER, text);
  else list[at + 1] = `${list[at + 1]}, ${text}`;
}

/** The head of a translated answer: the upstream's own headers speak to clients of its own format. */
export function translatedHeaders(head: ClientHeaders, translation: Translation, status: number): string[] {
  const { stream, context, upstream } = translation;
  const events = stream && status < 400 && context.events;
  const type = events ? 'text/event-stream; charset=utf-8' : 'application/json';
  const list = head.list.filter((_, i) => KEPT.has((head.list[i - (i % 2)] ?? '').toLowerCase()));
  const id = head.upstreamRequestId ?? context.requestId;
  list.push('content-type', type, 'request-id', id, 'x-request-id', id);
  if (events) list.push('cache-control', 'no-cache');
  list.push('x-tallygate-translated-to', upstream.id);
  addDropped(list, translation.dropped);
  return list;
}

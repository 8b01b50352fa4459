import type { StreamEvent } from './transport.ts';

/** One event longer than this is not ours. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

interface Pending {
  id: string | null;
  event: string;
  data: string[];
}

const fresh = (id: string | null): Pending => ({ id, event: 'message', data: [] });

function takeField(pending: Pending, line: string): void {
  const colon = line.indexOf(':');
  if (colon === 0) return; // comment: the heartbeat
  const field = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (field === 'data') pending.data.push(value);
  else if (field === 'event') pending.event = value;
  else if (field === 'id' && !value.includes('\0')) pending.id = value;
}

/**
 * Splits a stream of text into server-sent events (WHATWG HTML §9.2.6): CR, LF and CRLF end lines, a blank
 * line ends an event, an event without data is none, what follows the last blank line is dropped.
 * @throws RangeError when one event exceeds 4 Mi characters
 */
export async function* parseEventStream(chunks: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = '';
  let pending = fresh(null);
  for await (const chunk of chunks) {
    rest += chunk;
    // A CR at the very end may be the first half of a CRLF: it waits for what comes next.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') takeField(pending, line);
      else {
        const { id, event, data } = pending;
        pending = fresh(id);
        if (data.length > 0) yield { id, event, data: data.join('\n') };
      }
    }
    const held = pending.data.reduce((sum, data) => sum + data.length, rest.length);
    if (held > MAX_EVENT_CHARS) throw new RangeError('the server sent an event that is too long');
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventStream } from './event-stream.ts';
import type { StreamEvent } from './transport.ts';

async function parse(chunks: readonly string[]) {
  async function* source() {
    yield* chunks;
  }
  const events: StreamEvent[] = [];
  for await (const event of parseEventStream(source())) events.push(event);
  return events;
}

function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => text.slice(start, at[i] ?? text.length));
}

describe('parseEventStream', () => {
  it('reads id, event and data; comments are heartbeats', async () => {
    expect(await parse([': beat\n\nid: 7\nevent: request\ndata: {"a":1}\n\n'])).toEqual([
      { id: '7', event: 'request', data: '{"a":1}' },
    ]);
  });

  it('joins several data lines, keeps the last id, and defaults the event', async () => {
    expect(await parse(['id: 1\ndata: a\ndata: b\n\ndata:c\n\n'])).toEqual([
      { id: '1', event: 'message', data: 'a\nb' },
      { id: '1', event: 'message', data: 'c' },
    ]);
  });

  it('drops an event that the end of the stream cut off', async () => {
    expect(await parse(['data: whole\n\ndata: half\n'])).toEqual([
      { id: null, event: 'message', data: 'whole' },
    ]);
  });

  it('gives the same events wherever the stream is cut, with any line ends', async () => {
    const text = 'id: 1\nevent: request\ndata: {"x":"é"}\n\n: beat\n\ndata: a\ndata: b\n\n';
    const expected = await parse([text]);
    expect(expected).toHaveLength(2);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(400), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (places, end) => {
          // With bare CR the last line end may be the first half of a CRLF: one more line settles it.
          const source = `${text.replaceAll('\n', end)}: end${end}`;
          expect(await parse(cut(source, places))).toEqual(expected);
        },
      ),
    );
  });

  it('bounds one event', async () => {
    const endless = Array.from({ length: 50 }, () => `data: ${'x'.repeat(100_000)}\n`);
    await expect(parse(endless)).rejects.toThrow('too long');
  });
});

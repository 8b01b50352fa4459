import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageMeter } from '../provider.ts';
import { eventEnd, parseEvent } from './sse-split.ts';
import { SseTap, TAP_CONTENT, TAP_TERMINAL } from './sse-tap.ts';
import { UsageChunkFilter } from './withhold-usage-chunk.ts';

const MARKERS = { usage: ['"usage"'], content: ['delta'], terminal: ['stop'] };

function recordingMeter(): { meter: UsageMeter; seen: string[] } {
  const seen: string[] = [];
  const meter: UsageMeter = {
    markers: MARKERS,
    event(name, data) {
      seen.push(`${name ?? '-'}|${data}`);
      if (data.includes('stop')) return 'terminal';
      return data.includes('delta') ? 'content' : null;
    },
    body: () => undefined,
    usage: () => null,
    model: () => null,
    streamError: () => null,
  };
  return { meter, seen };
}

/** Cuts bytes at the given places, anywhere, also inside characters and line ends. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at]
    .map((start, i) => bytes.subarray(start, at[i] ?? bytes.length))
    .filter((part) => part.length > 0);
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const eventData = fc.constantFrom(
  '{"type":"ping"}',
  '{"delta":"Grüße 🚀"}',
  '{"usage":{"n":1}}',
  '{"text":"no end"}',
  '{"type":"stop"}',
  '{"delta":"ü"}',
);
const event = fc.tuple(fc.option(fc.constantFrom('message', 'ping')), eventData, lineEnd);
const places = fc.array(fc.nat(5_000), { maxLength: 60 });

function render(events: [string | null, string, string][], end?: string): Buffer {
  return Buffer.from(
    events
      .map(([name, data, own]) => {
        const eol = end ?? own;
        return `${name === null ? '' : `event: ${name}${eol}`}data: ${data}${eol}${eol}`;
      })
      .join(''),
  );
}

const matters = (data: string): boolean => /"usage"|delta|stop/.test(data);

describe('SSE tap', () => {
  it('shows the meter the same events whatever the chunking and the line ends (CF-01)', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), lineEnd, places, (events, eol, where) => {
        const { meter, seen } = recordingMeter();
        const tap = new SseTap(meter);
        let bits = 0;
        for (const chunk of cut(render(events, eol), where)) bits |= tap.push(chunk);
        tap.push(Buffer.from(': end\n\n')); // resolves a CR that might have been half of CRLF
        const contentAt = events.findIndex(([, data]) => data.includes('delta') && !data.includes('stop'));
        const expected = events
          .filter(([, data], i) =>
            contentAt === -1 || i <= contentAt ? matters(data) : /"usage"|stop/.test(data),
          )
          .map(([name, data]) => `${name ?? '-'}|${data}`);
        // After the first content the content markers are no longer looked for, except inside one region.
        expect(seen.filter((entry) => !entry.includes('delta'))).toEqual(
          expected.filter((entry) => !entry.includes('delta')),
        );
        if (contentAt !== -1) expect(seen.some((entry) => entry.includes('delta'))).toBe(true);
        void bits;
      }),
    );
  });

  it('reports first content once and the terminal event with the chunk that completes it', () => {
    const tap = new SseTap(recordingMeter().meter);
    expect(tap.push(Buffer.from('data: {"delta":1}\n\n'))).toBe(TAP_CONTENT);
    expect(tap.push(Buffer.from('data: {"delta":2}\n\n'))).toBe(0);
    expect(tap.push(Buffer.from('data: {"type":"stop"}\n'))).toBe(0);
    expect(tap.push(Buffer.from('\n'))).toBe(TAP_TERMINAL);
  });

  it('stays bounded on an event without end and finds the next one', () => {
    const { meter, seen } = recordingMeter();
    const tap = new SseTap(meter);
    const megabyte = Buffer.alloc(1024 * 1024, 0x61);
    for (let i = 0; i < 6; i++) tap.push(megabyte);
    tap.push(Buffer.from('\n\ndata: {"usage":{"n":2}}\n\n'));
    expect(seen).toEqual(['-|{"usage":{"n":2}}']);
  });

  it('parses names, multi-line data, comments and fields without a space', () => {
    expect(parseEvent(': note\nevent:x\ndata: a\ndata:b\nid: 4\n\n')).toEqual({ name: 'x', data: 'a\nb' });
    expect(eventEnd(Buffer.from('data: a\r\n\r\n'), 0)).toBe(11);
    expect(eventEnd(Buffer.from('data: a\r\n\r'), 0)).toBe(-1);
  });
});

describe('usage chunk filter', () => {
  const usageChunk = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":1}}\n\n';
  const part = fc.constantFrom(
    'data: {"choices":[{"delta":{"content":"Grüße"}}],"usage":null}\n\n',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
    'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}\n\n',
    ': keep-alive\n\n',
    'data: {"choices": [], "usage": null}\n\n',
    'data: [DONE]\n\n',
    usageChunk,
    'data: { "usage": {"a":1}, "choices" : [ ] }\r\n\r\n',
  );
  const withheld = (text: string): boolean => text === usageChunk || text.startsWith('data: { "usage"');

  it('takes out exactly the usage chunk and keeps every other byte, whatever the chunking', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), places, (parts, where) => {
        const filter = new UsageChunkFilter();
        const forwarded = cut(Buffer.from(parts.join('')), where).map((chunk) =>
          Buffer.from(filter.push(chunk)),
        );
        const text = Buffer.concat([...forwarded, filter.end()]).toString();
        expect(text).toBe(parts.filter((p) => !withheld(p)).join(''));
      }),
    );
  });

  it('lets an endless event through instead of holding it', () => {
    const filter = new UsageChunkFilter();
    const sent = Buffer.alloc(600 * 1024, 0x61);
    const out = Buffer.concat([
      Buffer.from(filter.push(sent)),
      Buffer.from(filter.push(Buffer.from('tail'))),
      filter.end(),
    ]);
    expect(out.equals(Buffer.concat([sent, Buffer.from('tail')]))).toBe(true);
  });
});

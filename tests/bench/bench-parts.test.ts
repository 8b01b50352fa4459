import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnswerParser } from '../../bench/answer-parser.ts';
import { growthOf } from '../../bench/soak.ts';
import { percentile, spread } from '../../bench/stats.ts';
import { readLoopDelay } from '../../bench/targets.ts';
import {
  expectedBodyBytes,
  jsonAnswerTemplate,
  requestTemplate,
  stampSerial,
} from '../../bench/wire-bytes.ts';

describe("the benchmark's own parts", () => {
  it('count answers the same however the bytes arrive', () => {
    const bytes = Buffer.from(
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n3\r\n\r\n0\r\n0\r\n\r\nHTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n',
    );
    const parse = (pieces: Buffer[]): string[] => {
      const seen: string[] = [];
      const feed = createAnswerParser({
        body: () => {},
        done: (status, size) => seen.push(`${status}:${size}`),
      });
      for (const piece of pieces) if (piece.length > 0) feed(piece);
      return seen;
    };
    const expected = ['200:5', '200:29', '503:0'];
    expect(parse([bytes])).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        expect(parse(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toEqual(expected);
      }),
    );
  });

  it('render requests and answers whose lengths are what they say', () => {
    for (const shape of ['json', 'sse', 'paced'] as const) {
      const request = requestTemplate({ shape, key: 'k', host: 'h', promptBytes: 900 });
      stampSerial(request, 42);
      const text = request.bytes.toString();
      const [head = '', body = ''] = text.split('\r\n\r\n');
      expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
      expect(JSON.parse(body)).toMatchObject({ stream: shape !== 'json' });
      expect(body).toContain('[0000000042]');
    }
    const answer = jsonAnswerTemplate().bytes.toString();
    expect(Buffer.byteLength(answer.split('\r\n\r\n')[1] ?? '')).toBe(expectedBodyBytes('json'));
  });

  it('take medians and percentiles of what is known', () => {
    expect(percentile([1, 2, 3, 4], 50)).toBe(2);
    expect(percentile([1, 2, 3, 4], 99)).toBe(4);
    expect(percentile([], 50)).toBeNull();
    expect(spread([3, null, 1])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([null])).toBeNull();
  });

  it('see growth, and no growth', () => {
    const flat = Array.from({ length: 30 }, () => ({ rssMb: 200 }));
    const growing = Array.from({ length: 30 }, (_, i) => ({ rssMb: 200 + i * 10 }));
    expect(growthOf(flat)).toBe(1);
    expect(growthOf(growing)).toBeGreaterThan(1.5);
    expect(growthOf([])).toBeNull();
  });

  it('read the event loop delay out of the metrics', () => {
    const text = [
      '# TYPE tallygate_event_loop_delay_seconds gauge',
      'tallygate_event_loop_delay_seconds{quantile="0.5"} 0.001',
      'tallygate_event_loop_delay_seconds{quantile="0.9990000000000001"} 0.02',
      'tallygate_event_loop_delay_seconds{quantile="max"} 0.05',
    ].join('\n');
    expect(readLoopDelay(text)).toEqual({ p999Ms: 20, maxMs: 50 });
    expect(readLoopDelay('')).toBeNull();
  });
});

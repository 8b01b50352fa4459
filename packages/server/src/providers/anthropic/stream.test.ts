import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessagesMeter } from '../shared/messages-meter.ts';
import { SseTap, TAP_CONTENT, TAP_TERMINAL } from '../shared/sse-tap.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

/** Drives a meter through the real tap, cutting the bytes into pieces of that size. */
function drive(bytes: Buffer, size = bytes.length) {
  const meter = createMessagesMeter();
  const tap = new SseTap(meter);
  let seen = 0;
  for (let at = 0; at < bytes.length; at += size) seen |= tap.push(bytes.subarray(at, at + size));
  return { meter, seen };
}

const event = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;

function streamOf(start: unknown, deltas: readonly unknown[], model = 'claude-sonnet-4-5') {
  const events = [
    event({ type: 'message_start', message: { model, usage: start } } as { type: string }),
    event({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'x' } } as { type: string }),
    ...deltas.map((usage, index) =>
      event({
        type: 'message_delta',
        delta: { stop_reason: index === deltas.length - 1 ? 'end_turn' : null },
        usage,
      } as { type: string }),
    ),
    event({ type: 'message_stop' }),
  ];
  return Buffer.from(events.join(''));
}

describe('Messages meter', () => {
  it('gives the same usage for a stream, in pieces of any size, and for the whole body', () => {
    const body = createMessagesMeter();
    body.body(fixture('tool-use.json').toString('utf8'));
    const expected = body.usage();
    expect(expected?.tokens).toMatchObject({
      inputUncached: 4,
      cacheWrite5m: 1776,
      cacheWrite1h: 20_000,
      cacheRead: 0,
      outputVisible: 255,
    });
    for (const size of [1, 7, 64, 1000, 100_000]) {
      const { meter, seen } = drive(fixture('tool-use.sse'), size);
      expect(meter.usage()).toEqual(expected);
      expect(meter.model()).toBe('claude-sonnet-4-5-20250929');
      expect(meter.streamError()).toBeNull();
      expect(seen).toBe(TAP_CONTENT | TAP_TERMINAL);
    }
  });

  it('keeps what is known of a stream cut anywhere, never final and never more than the whole', () => {
    const whole = fixture('tool-use.sse');
    const deltaAt = whole.indexOf('event: message_delta');
    for (let end = 0; end <= deltaAt; end += 13) {
      const usage = drive(whole.subarray(0, end)).meter.usage();
      if (usage === null) continue;
      expect(usage.complete).toBe(false);
      expect(usage.tokens.outputVisible).toBe(5);
    }
    expect(drive(whole.subarray(0, whole.indexOf('event: message_stop'))).meter.usage()?.complete).toBe(true);
  });

  it('reports an error that comes after HTTP 200, with the usage known until then', () => {
    const { meter, seen } = drive(fixture('overloaded.sse'));
    expect(meter.streamError()).toBe('overloaded_error');
    expect(seen).toBe(TAP_CONTENT);
    expect(meter.usage()).toMatchObject({
      complete: false,
      tokens: { inputUncached: 2048, outputVisible: 1 },
    });
  });

  it('overlays field by field: null says nothing, 0 is a value, nothing is added', () => {
    const { meter } = drive(
      streamOf(
        {
          input_tokens: 100,
          cache_read_input_tokens: 50,
          cache_creation_input_tokens: 30,
          cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
          output_tokens: 1,
          service_tier: 'standard',
        },
        [
          { output_tokens: 40, input_tokens: null, cache_read_input_tokens: 0 },
          { output_tokens: 90, server_tool_use: { web_search_requests: 2 } },
        ],
      ),
    );
    expect(meter.usage()).toMatchObject({
      complete: true,
      serviceTier: 'standard',
      units: { webSearchRequests: 2 },
      tokens: { inputUncached: 100, cacheRead: 0, cacheWrite5m: 10, cacheWrite1h: 20, outputVisible: 90 },
    });
  });

  it('overlays nested counts field by field too', () => {
    const { meter } = drive(
      streamOf(
        {
          cache_creation_input_tokens: 30,
          cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
          output_tokens: 1,
        },
        [
          {
            cache_creation_input_tokens: 35,
            cache_creation: { ephemeral_5m_input_tokens: 15, ephemeral_1h_input_tokens: null },
            output_tokens: 2,
          },
        ],
      ),
    );
    expect(meter.usage()?.tokens).toMatchObject({ cacheWrite5m: 15, cacheWrite1h: 20 });
  });

  it('reads a full usage that an upstream sends only in message_delta', () => {
    const { meter } = drive(
      streamOf({ input_tokens: 0, output_tokens: 0 }, [{ input_tokens: 77, output_tokens: 8 }]),
    );
    expect(meter.usage()?.tokens).toMatchObject({ inputUncached: 77, outputVisible: 8 });
  });

  it('is not final when the stream ends without a message_delta', () => {
    const { meter } = drive(streamOf({ input_tokens: 5, output_tokens: 1 }, []));
    expect(meter.usage()).toMatchObject({ complete: false, tokens: { inputUncached: 5 } });
  });

  it('takes iterations from the final usage', () => {
    const iterations = [
      { type: 'message', model: null, input_tokens: 5, output_tokens: 9 },
      { type: 'advisor_message', model: 'claude-opus-5', input_tokens: 3, output_tokens: 2 },
    ];
    const { meter } = drive(
      streamOf({ input_tokens: 5, output_tokens: 1 }, [{ output_tokens: 9, iterations }]),
    );
    expect(meter.usage()?.subCalls).toMatchObject([{ model: 'claude-opus-5', tokens: { inputUncached: 3 } }]);
  });

  it('knows nothing of an error body, and names its error', () => {
    const meter = createMessagesMeter();
    meter.body('{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}');
    expect(meter.usage()).toBeNull();
    expect(meter.streamError()).toBe('rate_limit_error');
  });

  it('keeps no more fields than a usage can have', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, index]));
    const { meter } = drive(streamOf({ input_tokens: 5, output_tokens: 1 }, [many, { output_tokens: 7 }]));
    expect(Object.keys(meter.usage()?.raw as object).length).toBeLessThanOrEqual(64);
    expect(meter.usage()?.tokens.outputVisible).toBe(7);
  });

  it('stays harmless with a __proto__ member', () => {
    const meter = createMessagesMeter();
    meter.event(
      'message_start',
      '{"type":"message_start","message":{"usage":{"__proto__":{"input_tokens":9},"output_tokens":1}}}',
    );
    meter.event('message_delta', '{"type":"message_delta","usage":{"__proto__":{"input_tokens":9}}}');
    expect(meter.usage()?.tokens.inputUncached).toBeNull();
    expect(({} as { input_tokens?: number }).input_tokens).toBeUndefined();
  });

  it('streamed and whole usage agree for any usage and any split of it over deltas', () => {
    const count = fc.option(fc.nat(1_000_000), { nil: null });
    const usage = fc.record({
      input_tokens: count,
      cache_read_input_tokens: count,
      output_tokens: fc.nat(100_000),
      service_tier: fc.constantFrom('standard', 'batch', null),
      server_tool_use: fc.option(fc.record({ web_search_requests: fc.nat(20) }), { nil: null }),
    });
    fc.assert(
      fc.property(usage, fc.array(fc.nat(100_000), { maxLength: 4 }), (final, outputs) => {
        const whole = createMessagesMeter();
        whole.body(JSON.stringify({ model: 'claude-sonnet-4-5', usage: final }));
        const steps = [...outputs.map((output) => ({ output_tokens: output })), final];
        const { meter } = drive(streamOf({ output_tokens: 1 }, steps), 50);
        expect(meter.usage()).toEqual(whole.usage());
      }),
      { numRuns: 200 },
    );
  });

  it('survives any event', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.option(fc.string()), fc.oneof(fc.string(), fc.json()))), (events) => {
        const meter = createMessagesMeter();
        for (const [name, data] of events) meter.event(name, data);
        meter.body(events[0]?.[1] ?? '');
        meter.usage();
      }),
      { numRuns: 300 },
    );
  });
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOpenaiMeter } from './openai-meter.ts';
import { SseTap, TAP_CONTENT, TAP_TERMINAL } from './sse-tap.ts';

const fixture = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url));
const meterFor = (flavor: string, priceProvider: string | null = 'openai') =>
  createOpenaiMeter(flavor, { priceProvider });

/** Drives a meter through the real tap, cutting the bytes into pieces of that size. */
function drive(
  flavor: string,
  bytes: Buffer,
  { size = bytes.length, priceProvider = 'openai' as string | null } = {},
) {
  const meter = meterFor(flavor, priceProvider);
  const tap = new SseTap(meter);
  let seen = 0;
  for (let at = 0; at < bytes.length; at += size) seen |= tap.push(bytes.subarray(at, at + size));
  return { meter, seen };
}
const whole = (flavor: string, text: string, priceProvider: string | null = 'openai') => {
  const meter = meterFor(flavor, priceProvider);
  meter.body(text);
  return meter;
};
const sse = (...events: (object | string)[]) =>
  Buffer.from(
    events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join(''),
  );

describe('chat meter', () => {
  it('gives the same usage for a stream, in pieces of any size, and for the whole body', () => {
    const expected = whole('openai.chat', fixture('openai/fixtures/chat.json').toString()).usage();
    expect(expected).toMatchObject({
      model: 'gpt-5-2025-08-07',
      serviceTier: 'default',
      complete: true,
      tokens: { inputUncached: 2000, cacheRead: 8000, outputVisible: 500, outputReasoning: 1500 },
    });
    for (const size of [1, 5, 100, 100_000]) {
      const { meter, seen } = drive('openai.chat', fixture('openai/fixtures/chat.sse'), { size });
      expect(meter.usage()).toEqual(expected);
      expect(seen).toBe(TAP_CONTENT | TAP_TERMINAL);
      expect(meter.streamError()).toBeNull();
    }
  });

  it('knows the model, and nothing of the usage, of a stream cut before its last chunk', () => {
    const bytes = fixture('openai/fixtures/chat.sse');
    const cut = bytes.subarray(0, bytes.indexOf('"finish_reason":"stop"'));
    const { meter, seen } = drive('openai.chat', cut);
    expect(meter.usage()).toBeNull();
    expect(meter.model()).toBe('gpt-5-2025-08-07');
    expect(seen).toBe(TAP_CONTENT);
  });

  it('does not take the opening role chunk for content', () => {
    const opening = {
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    };
    expect(drive('openai.chat', sse(opening)).seen).toBe(0);
    for (const delta of [
      { content: 'x' },
      { reasoning_content: 'x' },
      { reasoning: 'x' },
      { refusal: 'x' },
      { tool_calls: [{ index: 0 }] },
      { function_call: { name: 'f' } },
      { audio: { id: 'a' } },
    ]) {
      expect(drive('openai.chat', sse({ choices: [{ index: 0, delta }] })).seen).toBe(TAP_CONTENT);
    }
    for (const delta of [{}, { tool_calls: [] }, { content: null }]) {
      expect(drive('openai.chat', sse({ choices: [{ index: 0, delta }] })).seen).toBe(0);
    }
  });

  it('sees an error in the middle of a stream', () => {
    const { meter } = drive(
      'openai.chat',
      sse(
        { choices: [{ index: 0, delta: { content: 'x' } }] },
        { error: { type: 'server_error', message: 'no' } },
      ),
    );
    expect(meter.streamError()).toBe('server_error');
    expect(whole('openai.chat', '{"error":{"code":"insufficient_quota"}}').streamError()).toBe(
      'insufficient_quota',
    );
  });

  it('is final with [DONE] even when the usage came in a chunk that was not the last', () => {
    const chunk = {
      choices: [{ index: 0, delta: { content: 'x' }, finish_reason: null }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    };
    expect(drive('openai.chat', sse(chunk)).meter.usage()?.complete).toBe(false);
    expect(drive('openai.chat', sse(chunk, '[DONE]')).meter.usage()?.complete).toBe(true);
    expect(drive('openai.chat', sse('[DONE]')).meter.usage()).toBeNull();
  });

  it('takes the last of several cumulative usages', () => {
    const { meter } = drive('openai.chat', fixture('compatible/fixtures/vllm.sse'), { priceProvider: null });
    expect(meter.usage()).toMatchObject({ complete: true, tokens: { inputUncached: 31, outputVisible: 2 } });
    const bytes = fixture('compatible/fixtures/vllm.sse');
    const cut = drive('openai.chat', bytes.subarray(0, bytes.indexOf('"finish_reason":"stop"')), {
      priceProvider: null,
    });
    expect(cut.meter.usage()).toMatchObject({
      complete: false,
      tokens: { inputUncached: 31, outputVisible: 1 },
    });
  });

  it('streamed and whole usage agree for any usage', () => {
    const details = fc.option(
      fc.record({ cached_tokens: fc.nat(90), reasoning_tokens: fc.nat(90) }, { requiredKeys: [] }),
      { nil: null },
    );
    const usage = fc.record({
      prompt_tokens: fc.integer({ min: 90, max: 1e6 }),
      completion_tokens: fc.integer({ min: 90, max: 1e6 }),
      prompt_tokens_details: details,
      completion_tokens_details: details,
    });
    fc.assert(
      fc.property(
        usage,
        fc.option(fc.constantFrom('flex', 'priority', 'default')),
        fc.integer({ min: 1, max: 400 }),
        (final, tier, size) => {
          const top = { model: 'gpt-5', ...(tier === null ? {} : { service_tier: tier }) };
          const body = whole('openai.chat', JSON.stringify({ ...top, choices: [], usage: final }));
          const bytes = sse(
            { ...top, choices: [{ index: 0, delta: { content: '"prompt_tokens":5' } }], usage: null },
            { ...top, choices: [], usage: final },
            '[DONE]',
          );
          expect(drive('openai.chat', bytes, { size }).meter.usage()).toEqual(body.usage());
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('compatible providers', () => {
  it('Groq: usage under x_groq', () => {
    const { meter } = drive('openai.chat', fixture('compatible/fixtures/groq.sse'), {
      priceProvider: 'groq',
    });
    expect(meter.usage()).toMatchObject({ complete: true, tokens: { inputUncached: 36, outputVisible: 10 } });
  });

  it('OpenRouter: comments, reasoning first, a cost of its own', () => {
    const { meter, seen } = drive('openai.chat', fixture('compatible/fixtures/openrouter.sse'), {
      priceProvider: 'openrouter',
    });
    expect(seen).toBe(TAP_CONTENT | TAP_TERMINAL);
    expect(meter.usage()).toMatchObject({
      model: 'openai/gpt-6-sol',
      providerCostUsd: '0.00000905',
      complete: true,
      tokens: {
        inputUncached: 700,
        cacheRead: 200,
        cacheWriteOther: 100,
        outputVisible: 50,
        outputReasoning: 250,
      },
    });
  });

  it('Mistral: usage in the chunk that finishes', () => {
    const bytes = fixture('compatible/fixtures/mistral.sse');
    const { meter } = drive('openai.chat', bytes.subarray(0, bytes.indexOf('data: [DONE]')), {
      priceProvider: 'mistral',
    });
    expect(meter.usage()).toMatchObject({
      complete: true,
      tokens: { inputUncached: 36, cacheRead: 64, outputVisible: 20 },
    });
  });
});

describe('responses meter', () => {
  it('gives the same usage for a stream, in pieces of any size, and for the whole body', () => {
    const expected = whole('openai.responses', fixture('openai/fixtures/responses.json').toString()).usage();
    expect(expected).toMatchObject({
      model: 'gpt-6-sol-2026-09-09',
      serviceTier: 'default',
      units: { webSearchRequests: 1 },
      tokens: {
        inputUncached: 5000,
        cacheRead: 2000,
        cacheWriteOther: 3000,
        outputVisible: 36,
        outputReasoning: 64,
      },
    });
    for (const size of [1, 9, 300, 100_000]) {
      const { meter, seen } = drive('openai.responses', fixture('openai/fixtures/responses.sse'), { size });
      expect(meter.usage()).toEqual(expected);
      expect(meter.streamError()).toBeNull();
      expect(seen).toBe(TAP_CONTENT | TAP_TERMINAL);
    }
  });

  it('knows the model of a stream cut short', () => {
    const bytes = fixture('openai/fixtures/responses.sse');
    const { meter } = drive(
      'openai.responses',
      bytes.subarray(0, bytes.indexOf('event: response.completed')),
    );
    expect(meter.usage()).toBeNull();
    expect(meter.model()).toBe('gpt-6-sol-2026-09-09');
  });

  it.each(['response.incomplete', 'response.failed'])('takes the usage of %s', (type) => {
    const response = {
      model: 'gpt-5',
      error: { code: 'server_error' },
      usage: { input_tokens: 5, output_tokens: 1 },
    };
    const event = { type, response: type === 'response.failed' ? response : { ...response, error: null } };
    const { meter, seen } = drive(
      'openai.responses',
      Buffer.from(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`),
    );
    expect(seen).toBe(TAP_TERMINAL);
    expect(meter.usage()).toMatchObject({ complete: true, tokens: { inputUncached: 5, outputVisible: 1 } });
    expect(meter.streamError()).toBe(type === 'response.failed' ? 'server_error' : null);
  });

  it('sees an error event, and a failure that does not say why', () => {
    const event = { type: 'error', code: 'rate_limit_exceeded', message: 'x', param: null };
    const { meter } = drive(
      'openai.responses',
      Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`),
    );
    // The event is shown for its `"error"`, whichever field carries the reason.
    expect(meter.streamError()).toBe('rate_limit_exceeded');
    const failed = { type: 'response.failed', response: { status: 'failed', error: null } };
    expect(drive('openai.responses', sse(failed)).meter.streamError()).toBe('error');
  });

  it('needs no event names', () => {
    const delta = { type: 'response.reasoning_summary_text.delta', delta: 'x' };
    const done = { type: 'response.completed', response: { usage: { input_tokens: 1, output_tokens: 1 } } };
    const { meter, seen } = drive('openai.responses', sse(delta, done));
    expect(seen).toBe(TAP_CONTENT | TAP_TERMINAL);
    expect(meter.usage()?.complete).toBe(true);
  });
});

describe('other meters', () => {
  it('reads embeddings', () => {
    const meter = whole('openai.embeddings', fixture('openai/fixtures/embeddings.json').toString());
    expect(meter.usage()).toMatchObject({
      model: 'text-embedding-3-small',
      complete: true,
      tokens: { inputUncached: 8, outputVisible: 0 },
    });
    expect(meter.event(null, '{}')).toBeNull();
  });

  it('meters nothing of a flavor that is not billed', () => {
    const meter = whole('openai.models', '{"usage":{"prompt_tokens":5}}');
    expect([meter.usage(), meter.model(), meter.streamError(), meter.event('x', '{}')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('survives any event and any body', () => {
    const flavor = fc.constantFrom('openai.chat', 'openai.responses', 'openai.embeddings');
    fc.assert(
      fc.property(
        flavor,
        fc.array(fc.tuple(fc.option(fc.string()), fc.oneof(fc.string(), fc.json()))),
        (of, events) => {
          const meter = meterFor(of);
          for (const [name, data] of events) meter.event(name, data);
          meter.body(events[0]?.[1] ?? '');
          meter.usage();
        },
      ),
      { numRuns: 500 },
    );
  });
});

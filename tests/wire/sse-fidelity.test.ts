import { anthropicEvent, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { CUTS, withCrlf } from '@tallygate/testkit/fake-upstream/chunking';
import { sseAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { chatEvents, responsesEvents } from '@tallygate/testkit/fake-upstream/openai';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());

const STREAM = { ...MESSAGES_BODY, stream: true };
const script = { thinking: 'Überlegung 思考', toolUse: { name: 'ls', input: { path: '/ü/世界' } } };

describe.each(Object.entries(CUTS))('a stream cut as: %s (CF-01)', (_name, cut) => {
  it.each([
    ['LF', anthropicEvents(script)],
    ['CRLF', withCrlf(anthropicEvents(script))],
  ])('messages with %s arrive byte for byte and are metered', async (_ends, events) => {
    world.anthropic.respondOnce(sseAnswer(events, { cut }));
    const answer = await world.messages(STREAM).answer;
    expect(answer.text).toBe(events.join(''));
    const { request } = await world.rowOf(answer);
    expect(request.tokens).toMatchObject({
      inputUncached: 100,
      cacheRead: 20_000,
      cacheWrite5m: 2000,
      cacheWrite1h: 3000,
    });
    expect((request.tokens.outputVisible ?? 0) + (request.tokens.outputReasoning ?? 0)).toBe(500);
    expect([request.status, request.settleStatus]).toEqual(['ok', 'final']);
  });

  it('chat completions and responses arrive byte for byte and are metered', async () => {
    const chat = chatEvents();
    world.openai.respondOnce(sseAnswer(chat, { cut }));
    const body = { ...CHAT_BODY, stream: true, stream_options: { include_usage: true } };
    const first = await world.chat(body).answer;
    expect(first.text).toBe(chat.join(''));
    const responses = responsesEvents();
    world.openai.respondOnce(sseAnswer(responses, { cut }));
    const second = await world.post('/v1/responses', { model: 'gpt-5', input: 'Hi', stream: true }).answer;
    expect(second.text).toBe(responses.join(''));
    for (const answer of [first, second]) {
      const { request } = await world.rowOf(answer);
      expect(request.tokens).toMatchObject({
        inputUncached: 2000,
        cacheRead: 8000,
        outputVisible: 500,
        outputReasoning: 1500,
      });
      expect([request.status, request.settleStatus]).toEqual(['ok', 'final']);
    }
  });

  it('a chat stream whose usage chunk is withheld loses exactly that chunk', async () => {
    const events = chatEvents();
    world.openai.respondOnce(sseAnswer(events, { cut }));
    const answer = await world.chat({ ...CHAT_BODY, stream: true }).answer;
    expect(answer.text).toBe(events.filter((event) => !event.includes('"choices":[]')).join(''));
  });
});

describe('streams that are odd but legal (CF-01)', () => {
  it.each([
    ['event types nobody knows', [anthropicEvent({ type: 'future_event', data: { a: 1 } })]],
    [
      'comments and a retry field',
      [': keep-alive\n\n', 'retry: 3000\n\n', 'id: 7\nevent: ping\ndata: {"type": "ping"}\n\n'],
    ],
    ['data over several lines', ['event: ping\ndata: {\ndata: "type":"ping"\ndata: }\n\n']],
    ['data that is not JSON', ['data: hello "usage" {\n\n']],
    ['a byte order mark', ['\uFEFFevent: ping\ndata: {"type":"ping"}\n\n']],
    ['an event of 5 MiB', [anthropicEvent({ type: 'content_block_delta', text: 'é'.repeat(2_600_000) })]],
  ])('%s pass unchanged', async (_name, extra) => {
    const [start = '', ...rest] = anthropicEvents();
    const events = [...extra, start, ...extra, ...rest];
    world.anthropic.respondOnce(sseAnswer(events));
    const answer = await world.messages(STREAM).answer;
    expect(answer.body.equals(Buffer.from(events.join('')))).toBe(true);
    expect((await world.rowOf(answer)).request.tokens.outputVisible).toBe(500);
  });

  it('a stream whose last event lacks its blank line', async () => {
    const text = anthropicEvents().join('').trimEnd();
    world.anthropic.respondOnce(sseAnswer([text]));
    expect((await world.messages(STREAM).answer).text).toBe(text);
  });

  it('the head and every event leave at once, a ping before anything else included', async () => {
    const [start = '', ping = '', ...rest] = anthropicEvents();
    const steps = [() => {}, () => {}, () => {}];
    const gates = steps.map((_, i) => new Promise<void>((resolve) => (steps[i] = resolve)));
    world.anthropic.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['Content-Type', 'text/event-stream'],
        ['Transfer-Encoding', 'chunked'],
      ]);
      await gates[0];
      await exchange.chunk(ping);
      await gates[1];
      await exchange.chunk(start);
      await gates[2];
      for (const event of rest) await exchange.chunk(event);
      await exchange.endChunks();
    });
    // Each step is released only after the client has the one before: anything held back would hang here.
    const call = world.messages(STREAM);
    expect((await call.head).status).toBe(200);
    steps[0]?.();
    await call.until('"ping"');
    steps[1]?.();
    await call.until('message_start');
    steps[2]?.();
    expect((await call.answer).text).toBe([ping, start, ...rest].join(''));
  });
});

import { readFileSync } from 'node:fs';
import { eventually } from '@tallygate/testkit/eventually';
import {
  anthropicApi,
  anthropicEvent,
  anthropicEvents,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { floodAnswer, type Responder, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { CutAnswer, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { startTranslationWorld, type TranslationWorld } from '@tallygate/testkit/translation-world';
import { REQUEST_ID_HEADER } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const MIB = 1024 * 1024;
const EVENTS = anthropicEvents();

describe('Gemini clients without alt=sse (X-04)', () => {
  let world: TranslationWorld;
  afterEach(() => world.stop());
  const LIST = '/v1beta/models/claude-sonnet-4-5:streamGenerateContent';
  const ASK = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
  type Piece = { candidates?: { content?: { parts?: { text?: string }[] } }[]; error?: object };
  const start = async (responder: Responder) => {
    world = await startTranslationWorld({ provider: 'anthropic', responder });
  };
  const textOf = (pieces: Piece[]) =>
    pieces
      .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
      .map(({ text }) => text ?? '')
      .join('');

  it('get the pieces of one list as they come, before the upstream has ended', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await start(
      sseThen(EVENTS.slice(0, 5), async (exchange) => {
        await held;
        for (const event of EVENTS.slice(5)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const call = world.call(LIST, ASK);
    await call.until('Grüße'); // nothing but this lets the upstream go on
    release();
    const answer = await call.answer;
    expect(answer.value('content-type')).toBe('application/json');
    const pieces = answer.json() as Piece[];
    expect(pieces.length).toBeGreaterThan(3);
    expect(textOf(pieces)).toBe('Grüße, 世界! 🚀 naïve café');
    expect(pieces.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }], usageMetadata: {} });
  });

  it('get a list that is whole when an error ends it', async () => {
    await start(sseAnswer([...EVENTS.slice(0, 5), OVERLOADED_EVENT]));
    const answer = await world.call(LIST, ASK).answer;
    const pieces = answer.json() as Piece[];
    expect(textOf(pieces)).toBe('Grüße, 世界! ');
    expect(pieces.at(-1)).toMatchObject({ error: { status: 'UNAVAILABLE' } });
  });

  it('get pings as line breaks between the pieces, which change nothing', async () => {
    const ping = anthropicEvent({ type: 'ping' });
    await start(sseAnswer([...EVENTS.slice(0, 5), ping, ping, ...EVENTS.slice(5)]));
    const answer = await world.call(LIST, ASK).answer;
    expect(textOf(answer.json() as Piece[])).toBe('Grüße, 世界! 🚀 naïve café');
    expect(answer.text).toContain('\n\n');
  });
});

describe('a custom tool of a Chat Completions client (X-04)', () => {
  it('travels as a function where the upstream has none, and comes back as what it is', async () => {
    const toolUse = { name: 'patch', input: { input: 'Begin' } };
    const world = await startTranslationWorld({
      provider: 'anthropic',
      responder: anthropicApi({ toolUse }),
    });
    try {
      const tools = [{ type: 'custom', custom: { name: 'patch' } }];
      const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], tools };
      const answer = await world.call('/v1/chat/completions', body).answer;
      expect([answer.status, answer.value('x-tallygate-dropped')]).toEqual([200, undefined]);
      expect(answer.json()).toMatchObject({
        choices: [
          {
            message: { tool_calls: [{ type: 'custom', custom: { name: 'patch', input: 'Begin' } }] },
            finish_reason: 'tool_calls',
          },
        ],
      });
      const { text } = await world.call('/v1/chat/completions', { ...body, stream: true }).answer;
      expect(text).toContain('{"index":0,"custom":{"input":"Begin"}}');
    } finally {
      await world.stop();
    }
  });
});

/** A delta with a kibibyte of text. */
const DELTA = anthropicEvent({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: 'x'.repeat(1024) },
});

describe.runIf(process.platform === 'linux')('what a translated stream may hold (CF-01, X-04)', () => {
  const IN_TRANSIT = 32 * MIB;
  const RSS_GROWTH = 160 * MIB;
  let gate: Gate;
  let upstream: FakeUpstream;
  beforeAll(async () => {
    upstream = await startFakeUpstream(anthropicApi());
    gate = await startGate({
      accounts: [{ provider: 'anthropic', baseUrl: upstream.url }],
      config: { RETRY_ATTEMPTS: '0' },
    });
  });
  afterAll(async () => {
    await gate?.stop();
    await upstream?.stop();
  });
  const rssBytes = () =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${gate.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  const chat = () =>
    rawCall(
      gate.port,
      requestBytes({
        path: '/v1/chat/completions',
        headers: [
          ['content-type', 'application/json'],
          ['x-api-key', gate.key],
        ],
        body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
      }),
    );
  /** What the gate makes of an answer, when the client reads all it gets. */
  const outcome = async () => {
    const before = rssBytes();
    const call = chat();
    const thrown: unknown = await call.answer.catch((error: unknown) => error);
    const { peerGone } = upstream.requests.at(-1) ?? {};
    await peerGone;
    const id = (await call.head).value(REQUEST_ID_HEADER) ?? '';
    return { thrown, grown: rssBytes() - before, id };
  };

  it('a client that does not read stops the upstream, and memory stays flat', async () => {
    let sent = 0;
    upstream.respondOnce(
      floodAnswer(DELTA, 200 * MIB, (bytes) => {
        sent = bytes;
      }),
    );
    const before = rssBytes();
    const call = chat();
    await call.head;
    call.socket.pause();
    let [last, same] = [-1, 0];
    await eventually('the upstream stalls', () => {
      same = sent === last && sent > 0 ? same + 1 : 0;
      last = sent;
      return same >= 20;
    });
    expect(sent).toBeLessThan(IN_TRANSIT);
    expect(rssBytes() - before).toBeLessThan(RSS_GROWTH);
    const request = upstream.requests.at(-1);
    call.leave();
    await request?.peerGone;
    await call.answer.catch(() => null);
  }, 90_000);

  it.each<[string, Responder]>([
    ['an event that never ends', floodAnswer('x'.repeat(65_536), 400 * MIB)],
    ['an answer that never ends', floodAnswer(DELTA, 400 * MIB)],
  ])(
    '%s is cut within a bound, and the client learns that it is',
    async (_name, responder) => {
      upstream.respondOnce(sseThenFlood(responder));
      const { thrown, grown, id } = await outcome();
      expect(thrown).toBeInstanceOf(CutAnswer);
      expect(grown).toBeLessThan(RSS_GROWTH);
      // Somebody else is served as usual.
      expect((await chat().answer).status).toBe(200);
      expect((await gate.row(id)).request).toMatchObject({ errorCode: 'upstream_failed' });
    },
    90_000,
  );
});

/** The opening of an answer with its first content, and then the flood, in one stream. */
function sseThenFlood(flood: Responder): Responder {
  return async (exchange) => {
    const { head } = exchange;
    await head(200, [
      ['Content-Type', 'text/event-stream'],
      ['Transfer-Encoding', 'chunked'],
    ]);
    for (const event of EVENTS.slice(0, 5)) await exchange.chunk(event);
    await flood({ ...exchange, head: async () => true });
  };
}

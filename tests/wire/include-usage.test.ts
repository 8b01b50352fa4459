import { gunzipSync, gzipSync } from 'node:zlib';
import { chatEvents } from '@tallygate/testkit/fake-upstream/openai';
import { CHAT_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.openai.clear());

const FULL = { inputUncached: 2000, cacheRead: 8000, outputVisible: 500, outputReasoning: 1500 };
const withheld = (): string =>
  chatEvents()
    .filter((event) => !event.includes('"choices":[]'))
    .join('');

async function sentBody(body: string) {
  const answer = await world.chat(body).answer;
  const request = world.openai.requests[0];
  return { answer, text: request?.body().toString('utf8') ?? '', row: (await world.rowOf(answer)).request };
}

describe('usage of a chat stream whose client did not ask for it', () => {
  it('is asked for by adding one member; the rest of the body keeps its bytes', async () => {
    const body =
      '{ "model":"gpt-5",\n "messages":[{"role":"user","content":"\\u00e9 é 1.0"}], "stream" : true , "n":1.50 }';
    const { answer, text, row } = await sentBody(body);
    expect(JSON.parse(text)).toEqual({ ...JSON.parse(body), stream_options: { include_usage: true } });
    // What is left when the added member is cut out is what was sent.
    const cut = text.replace(/,?\s*"stream_options"\s*:\s*\{[^}]*\}\s*,?/, '');
    expect(cut.replace(/\s/g, '')).toBe(body.replace(/\s/g, ''));
    expect(text).toContain('"content":"\\u00e9 é 1.0"');
    expect(text).toContain('"n":1.50');
    expect(world.openai.requests[0]?.value('content-length')).toBe(String(Buffer.byteLength(text)));
    expect(answer.text).toBe(withheld());
    expect(answer.value('content-length')).toBeUndefined();
    expect(row.tokens).toMatchObject(FULL);
  });

  it('is asked for when stream_options are there and say false, keeping the other options', async () => {
    const body =
      '{"model":"gpt-5","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false},"messages":[]}';
    const { answer, text, row } = await sentBody(body);
    expect(JSON.parse(text).stream_options).toEqual({ include_usage: true, include_obfuscation: false });
    expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(JSON.parse(body)));
    expect(answer.text).toBe(withheld());
    expect(row.tokens).toMatchObject(FULL);
  });

  it('is asked for when stream_options are null', async () => {
    const { answer, text } = await sentBody(
      '{"model":"gpt-5","stream":true,"stream_options":null,"messages":[]}',
    );
    expect(JSON.parse(text).stream_options).toEqual({ include_usage: true });
    expect(answer.text).toBe(withheld());
  });

  it('is not mistaken for text: a message that spells out the chunk stays', async () => {
    const spelled = '"choices":[],"usage":{"prompt_tokens":1}';
    const events = chatEvents({ text: `look: ${JSON.stringify(spelled)} end` });
    world.openai.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['Content-Type', 'text/event-stream'],
        ['Transfer-Encoding', 'chunked'],
      ]);
      for (const event of events) await exchange.chunk(event);
      await exchange.endChunks();
    });
    const answer = await world.chat({ ...CHAT_BODY, stream: true }).answer;
    expect(answer.text).toBe(events.filter((_, i) => i !== events.length - 2).join(''));
  });

  it('is withheld from an encoded stream too', async () => {
    world.openai.respondOnce(async (exchange) => {
      // An upstream encodes only for who accepts it.
      const accepts = exchange.request.values('accept-encoding').join().includes('gzip');
      await exchange.answer(
        200,
        [['Content-Type', 'text/event-stream'], ...(accepts ? [['Content-Encoding', 'gzip'] as const] : [])],
        accepts ? gzipSync(chatEvents().join('')) : chatEvents().join(''),
      );
    });
    const call = world.chat({ ...CHAT_BODY, stream: true }, { headers: [['accept-encoding', 'gzip']] });
    const answer = await call.answer;
    const text =
      answer.value('content-encoding') === 'gzip' ? gunzipSync(answer.body).toString() : answer.text;
    expect(text).toBe(withheld());
    expect((await world.rowOf(answer)).request.tokens).toMatchObject(FULL);
  });
});

describe('usage that the client asked for, or that comes by itself', () => {
  it.each([
    ['asked', '{"model":"gpt-5","stream":true,"messages":[],"stream_options":{"include_usage":true}}'],
    [
      'asked, with odd spacing',
      '{"stream_options" : { "include_usage" : true } ,"model":"gpt-5","stream":true,"messages":[]}',
    ],
  ])('%s: body and stream unchanged', async (_name, body) => {
    const { answer, text, row } = await sentBody(body);
    expect(text).toBe(body);
    expect(answer.text).toBe(chatEvents().join(''));
    expect(row.tokens).toMatchObject(FULL);
  });

  it.each([
    ['not a stream', '{"model":"gpt-5","messages":[]}'],
    ['stream false', '{"model":"gpt-5","messages":[],"stream":false}'],
  ])('%s: body unchanged', async (_name, body) => {
    const { text, row } = await sentBody(body);
    expect(text).toBe(body);
    expect(row.tokens).toMatchObject(FULL);
  });

  it('responses need no asking', async () => {
    const body = '{"model":"gpt-5","input":"x","stream":true}';
    await world.post('/v1/responses', body).answer;
    expect(world.openai.requests[0]?.body().toString()).toBe(body);
  });
});

import { createConnection, type Socket } from 'node:net';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Responder, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { type RawCall, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const LIMIT = 64 * 1024;
const MIB = 1024 * 1024;

function bodyOf(bytes: number, members: object = {}): string {
  const body = { model: 'claude-sonnet-4-5', ...members, pad: '' };
  return JSON.stringify({ ...body, pad: 'x'.repeat(bytes - JSON.stringify(body).length) });
}

/** Answers up to the first content, and breaks off once told to. */
function beginning(ends: (() => void)[]): Responder {
  const events = anthropicEvents();
  const opening = events.slice(0, events.findIndex((event) => event.includes('content_block_delta')) + 1);
  return sseThen(opening, async (exchange) => {
    await new Promise<void>((resolve) => ends.push(resolve));
    exchange.reset();
  });
}

describe('a body limit of 64 KiB', () => {
  let world: WireWorld;
  beforeAll(async () => {
    world = await startWireWorld({ config: { TALLYGATE_MAX_BODY_BYTES: String(LIMIT) } });
  });
  afterAll(() => world?.stop());
  beforeEach(() => {
    world.anthropic.clear();
    world.openai.clear();
  });
  const chunked = (body: string): Buffer =>
    requestBytes({
      path: '/v1/messages',
      headers: [
        ['x-api-key', world.gate.key],
        ['transfer-encoding', 'chunked'],
      ],
      body: `${(body.match(/[\s\S]{1,1000}/g) ?? []).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`,
    });

  it('lets a body of exactly that size pass, with a length or in chunks', async () => {
    expect((await world.messages(bodyOf(LIMIT)).answer).status).toBe(200);
    expect((await rawCall(world.gate.port, chunked(bodyOf(LIMIT))).answer).status).toBe(200);
    expect(world.anthropic.requests.map((r) => r.body().length)).toEqual([LIMIT, LIMIT]);
  });

  it('answers 413 in the dialect one byte above, and nothing goes upstream', async () => {
    const messages = await world.messages(bodyOf(LIMIT + 1)).answer;
    expect(messages.status).toBe(413);
    expect(messages.json()).toMatchObject({ type: 'error', error: { type: 'request_too_large' } });
    const chat = await world.chat(bodyOf(LIMIT + 1)).answer;
    expect(chat.status).toBe(413);
    expect(chat.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(world.anthropic.requests.length + world.openai.requests.length).toBe(0);
  });

  it('counts the bytes that really arrive when no length is announced', async () => {
    const answer = await rawCall(world.gate.port, chunked(bodyOf(LIMIT + 1))).answer;
    expect(answer.status).toBe(413);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('answers 413 by the announced length without waiting for the bytes', async () => {
    const answer = await world.messages('{', { headers: [['content-length', String(LIMIT + 1)]] }).answer;
    expect(answer.status).toBe(413);
  });

  it("a length that is too short ends the body there: bad JSON, and the rest is nobody's request", async () => {
    const answer = await world.messages('{"model":"claude-sonnet-4-5"}', {
      headers: [['content-length', '9']],
    }).answer;
    expect(answer.status).toBe(400);
    // The stray bytes break the connection's framing, so the answer may come from the HTTP parser, without a body.
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
    expect(world.anthropic.requests).toHaveLength(1);
  });

  it.each([
    ['both a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked', '4\r\n{}{}\r\n0\r\n\r\n'],
    ['two lengths', 'content-length: 2\r\ncontent-length: 3', '{}x'],
    ['a negative length', 'content-length: -1', '{}'],
    ['an unknown transfer coding', 'transfer-encoding: xchunked', '2\r\n{}\r\n0\r\n\r\n'],
    ['a list of codings', 'transfer-encoding: identity, chunked', '2\r\n{}\r\n0\r\n\r\n'],
    ['a malformed chunk size', 'transfer-encoding: chunked', 'zz\r\n{}\r\n0\r\n\r\n'],
  ])('refuses a request with %s (RFC 9112 §6.3)', async (_name, framing, body) => {
    const head = `POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: ${world.gate.key}\r\n${framing}\r\n\r\n`;
    const status = await rawCall(world.gate.port, Buffer.from(head + body)).answer.then(
      (answer) => answer.status,
      () => 'closed',
    );
    expect([400, 411, 413, 501, 'closed']).toContain(status);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('a client that leaves in the middle of its body costs nothing', async () => {
    const call = world.messages('{"model":', { headers: [['content-length', '1000']] });
    await new Promise((resolve) => call.socket.once('connect', resolve));
    call.leave();
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
    expect(world.anthropic.requests).toHaveLength(1);
  });
});

describe('the usual limit: bodies that cannot be read, and large ones', () => {
  let world: WireWorld;
  beforeAll(async () => {
    world = await startWireWorld();
  });
  afterAll(() => world?.stop());

  it.each([
    ['no JSON', 'hello'],
    ['empty', ''],
    ['cut', '{"model":"m"'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['two values', '{} {}'],
  ])('400 in both dialects: %s', async (_name, body) => {
    const messages = await world.messages(body).answer;
    expect(messages.status).toBe(400);
    expect(messages.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    const chat = await world.chat(body).answer;
    expect(chat.status).toBe(400);
    expect(chat.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(world.anthropic.requests.length + world.openai.requests.length).toBe(0);
  });

  it('deep nesting is not a way to stop the server', async () => {
    const deep = `{"model":"m","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const answer = await world.messages(deep).answer;
    expect([200, 400]).toContain(answer.status);
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
  });

  it('a body of 31 MiB passes under the default limit and one over 32 MiB does not', async () => {
    world.anthropic.clear();
    const large = bodyOf(31 * MIB);
    expect((await world.messages(large).answer).status).toBe(200);
    expect(world.anthropic.requests[0]?.body().equals(Buffer.from(large))).toBe(true);
    expect((await world.chat({ ...CHAT_BODY, pad: 'x'.repeat(33 * MIB) }).answer).status).toBe(413);
  });

  it('a large one goes through as it is, and one that holds millions of values gets 413 (CF-13)', async () => {
    world.anthropic.clear();
    const turn = {
      role: 'user',
      content: [{ type: 'text', text: 'Say "this": [and, {that}] \\ '.repeat(8) }],
    };
    const large = JSON.stringify({ ...MESSAGES_BODY, messages: Array.from({ length: 3_000 }, () => turn) });
    expect((await world.messages(large).answer).status).toBe(200);
    expect(world.anthropic.requests[0]?.body().equals(Buffer.from(large))).toBe(true);
    const empty = `{"model":"m","messages":[${'{},'.repeat(1_100_000)}{}]}`;
    const answer = await world.messages(empty).answer;
    expect([answer.status, answer.value('x-tallygate-error')]).toEqual([413, 'request_too_large']);
    expect(answer.text).toContain('2000000 values');
    expect(world.anthropic.requests).toHaveLength(1);
  });
});

describe('room for 1 MiB of bodies together (CF-13)', () => {
  const HALF = MIB / 2;
  let world: WireWorld;
  beforeAll(async () => {
    const config = { TALLYGATE_MAX_BODY_BYTES: String(HALF), TALLYGATE_MAX_BODIES_BYTES: String(MIB) };
    world = await startWireWorld({ config });
  });
  afterAll(() => world?.stop());

  /** A client that announces a body, sends a part of it and waits. */
  async function slow(bytes: number): Promise<Socket> {
    const socket = createConnection(world.gate.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const head = ['POST /v1/messages HTTP/1.1', 'host: localhost', `x-api-key: ${world.gate.key}`];
    head.push('content-type: application/json', `content-length: ${HALF}`, '', '');
    await new Promise<void>((sent) => socket.write(`${head.join('\r\n')}${'x'.repeat(bytes)}`, () => sent()));
    return socket;
  }
  const statusOf = async (): Promise<number> => (await world.messages(bodyOf(HALF)).answer).status;

  it('is given back with every answer, whatever it was', async () => {
    for (let i = 0; i < 6; i++) expect(await statusOf()).toBe(200);
    for (let i = 0; i < 6; i++)
      expect((await world.messages(`{"x":"${'x'.repeat(HALF - 8)}"`).answer).status).toBe(400);
    for (let i = 0; i < 6; i++) expect((await world.messages(bodyOf(HALF + 1)).answer).status).toBe(413);
    expect(await statusOf()).toBe(200);
  });

  it('is given back when an answer begins, however long that takes', async () => {
    const ends: (() => void)[] = [];
    world.anthropic.respond(beginning(ends));
    const running: RawCall[] = [];
    for (let i = 0; i < 6; i++) {
      const call = world.messages(bodyOf(HALF, { stream: true }));
      running.push(call);
      await call.until('content_block_delta');
    }
    for (const end of ends) end();
    await Promise.allSettled(running.map((call) => call.answer));
    world.anthropic.respond(anthropicApi());
    expect(await statusOf()).toBe(200);
  });

  it('503 with Retry-After while slow clients fill it, and 200 again once they are gone', async () => {
    const clients = await Promise.all([0, 1, 2].map(() => slow(HALF / 2)));
    await eventually('it is full', async () => (await statusOf()) === 503);
    const refused = await world.messages(bodyOf(HALF)).answer;
    expect([refused.status, refused.value('retry-after')]).toEqual([503, '2']);
    expect(refused.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200); // small ones still fit
    for (const client of clients) client.destroy();
    await eventually('there is room again', async () => (await statusOf()) === 200);
  });
});

describe('room for two bodies of 16 MiB, and an upstream that answers without reading (CF-13)', () => {
  const BYTES = 16 * MIB;
  let world: WireWorld;
  beforeAll(async () => {
    world = await startWireWorld({
      upstream: { answerAtHead: true, neverReadBody: true },
      config: { TALLYGATE_MAX_BODY_BYTES: String(BYTES), TALLYGATE_MAX_BODIES_BYTES: String(2 * BYTES) },
    });
  });
  afterAll(() => world?.stop());

  it('is taken until such an answer ends: the body is still in memory', async () => {
    const ends: (() => void)[] = [];
    world.anthropic.respond(beginning(ends));
    const send = () => world.messages(bodyOf(BYTES, { stream: true }));
    const running = [send(), send()];
    await Promise.all(running.map((call) => call.until('content_block_delta')));
    expect((await send().answer).status).toBe(503);
    for (const end of ends) end();
    await Promise.allSettled(running.map((call) => call.answer));
    await eventually('there is room again', async () => (await send().head).status === 200);
    for (const end of ends) end();
  });
});

import { anthropicEvents, anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { chatEvents } from '@tallygate/testkit/fake-upstream/openai';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const DRAIN_MS = 1500;
const STREAM = { ...MESSAGES_BODY, stream: true };
const LIMIT_MS = 100;
/** The upstream takes its time, so that the gate has met the closed connection before the answer goes on. */
const THINKING_MS = 300;
let world: WireWorld;
let drainKey: string;
let made = 0;
beforeAll(async () => {
  world = await startWireWorld({
    projects: [{ slug: 'drains', disconnectPolicy: 'drain' }],
    config: { TALLYGATE_DRAIN_MAX_MS: String(DRAIN_MS), TALLYGATE_DRAIN_MAX_BYTES: '100000' },
  });
  drainKey = (await world.gate.addKey({ project: 'drains' })).key;
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.openai.clear();
});

/** A key that one request uses: who leaves before the answer was not told the id of it. */
async function keyForOne(project?: string) {
  const { id, key } = await world.gate.addKey({ name: `for one ${made++}`, ...(project ? { project } : {}) });
  return {
    key,
    row: async () => (await world.gate.untilRows(1, (row) => row.key?.id === id))[0],
  };
}

describe('a client that leaves (CW-10, CF-17)', () => {
  it.each([1, 2, 3, 4, 5])('in mid-stream: the upstream knows within 100 ms (%d)', async () => {
    const events = anthropicEvents();
    world.anthropic.respondOnce(sseThen(events.slice(0, 5), stall));
    const call = world.messages(STREAM);
    await call.until('content_block_delta');
    const head = await call.head;
    const leftAt = performance.now();
    call.leave();
    const goneAt = await world.anthropic.requests[0]?.peerGone;
    expect((goneAt ?? Infinity) - leftAt).toBeLessThan(LIMIT_MS);
    const { request, attempts } = await world.rowOf(head);
    expect(request).toMatchObject({ status: 'aborted', settleStatus: 'estimated' });
    expect(request.tokens).toMatchObject({ inputUncached: 100, cacheRead: 20_000, cacheWrite1h: 3000 });
    expect(request.costUsd).not.toBeNull();
    expect(attempts).toMatchObject([{ outcome: 'aborted' }]);
  });

  it.each(['messages', 'chat'] as const)(
    'before any answer, not streaming (%s): within 100 ms, and a row',
    async (api) => {
      const { key, row } = await keyForOne();
      const upstream = api === 'messages' ? world.anthropic : world.openai;
      upstream.respondOnce(stall);
      const call =
        api === 'messages' ? world.messages(MESSAGES_BODY, { key }) : world.chat(CHAT_BODY, { key });
      const request = await upstream.nextRequest();
      await request.received;
      const leftAt = performance.now();
      call.leave();
      expect((await request.peerGone) - leftAt).toBeLessThan(LIMIT_MS);
      expect(await row()).toMatchObject({
        status: 'aborted',
        settleStatus: 'estimated',
        stream: false,
        costUsd: null,
      });
    },
  );

  it('in the middle of a JSON body: within 100 ms', async () => {
    world.anthropic.respondOnce(async (exchange) => {
      const body = JSON.stringify(anthropicMessage());
      await exchange.head(200, [
        ['Content-Type', 'application/json'],
        ['Content-Length', String(body.length + 50)],
      ]);
      await exchange.write(body.slice(0, 50));
      await exchange.untilPeerGone();
    });
    const call = world.messages(MESSAGES_BODY);
    await call.until('"id"');
    const leftAt = performance.now();
    call.leave();
    expect(((await world.anthropic.requests[0]?.peerGone) ?? Infinity) - leftAt).toBeLessThan(LIMIT_MS);
    expect((await world.rowOf(await call.head)).request.status).toBe('aborted');
  });

  it('by closing its half politely: the answer is not lost to it', async () => {
    const call = world.messages(MESSAGES_BODY);
    call.socket.end();
    // node:http closes a half-closed client unless told otherwise; either way there is one settled row.
    await call.answer.catch(() => null);
    const request = await world.anthropic.nextRequest().catch(() => null);
    expect(request).not.toBeNull();
  });

  it('one of many: the others stream on', async () => {
    const events = anthropicEvents();
    const release = Promise.withResolvers<void>();
    world.anthropic.respond(
      sseThen(events.slice(0, 5), async (exchange) => {
        await release.promise;
        for (const event of events.slice(5)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const calls = Array.from({ length: 10 }, () => world.messages(STREAM));
    await Promise.all(calls.map((call) => call.until('content_block_delta')));
    calls[3]?.leave();
    release.resolve();
    const done = await Promise.allSettled(calls.map((call) => call.answer));
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
    for (const one of done) if (one.status === 'fulfilled') expect(one.value.text).toBe(events.join(''));
  });
});

describe('a project that drains', () => {
  it('reads on after the client left and learns the final usage', async () => {
    const events = anthropicEvents();
    const release = Promise.withResolvers<void>();
    world.anthropic.respondOnce(
      sseThen(events.slice(0, 4), async (exchange) => {
        await release.promise;
        await exchange.pause(THINKING_MS);
        for (const event of events.slice(4)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const call = world.messages(STREAM, { key: drainKey });
    await call.until('content_block_start');
    const head = await call.head;
    call.leave();
    release.resolve();
    const { request } = await world.rowOf(head);
    expect(request).toMatchObject({ status: 'aborted', settleStatus: 'final' });
    expect(request.tokens).toMatchObject({ inputUncached: 100, outputVisible: 500 });
    expect(request.costUsd).toBe('0.0593');
  });

  it('also for an answer that is not a stream', async () => {
    const { key, row } = await keyForOne('drains');
    const release = Promise.withResolvers<void>();
    world.anthropic.respondOnce(async (exchange) => {
      await release.promise;
      await exchange.pause(THINKING_MS);
      await jsonAnswer(anthropicMessage())(exchange);
    });
    const call = world.messages(MESSAGES_BODY, { key });
    await world.anthropic.nextRequest();
    call.leave();
    release.resolve();
    expect(await row()).toMatchObject({
      status: 'aborted',
      settleStatus: 'final',
      costUsd: '0.0593',
    });
  });

  it('also when the usage comes in a chunk the client would not have seen', async () => {
    const events = chatEvents();
    const release = Promise.withResolvers<void>();
    world.openai.respondOnce(
      sseThen(events.slice(0, 2), async (exchange) => {
        await release.promise;
        await exchange.pause(THINKING_MS);
        for (const event of events.slice(2)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const call = world.chat({ ...CHAT_BODY, stream: true }, { key: drainKey });
    await call.until('"delta"');
    const head = await call.head;
    call.leave();
    release.resolve();
    expect((await world.rowOf(head)).request).toMatchObject({ settleStatus: 'final', costUsd: '0.0235' });
  });

  it('gives up after its time, and says that the figures are an estimate', async () => {
    world.anthropic.respondOnce(sseThen(anthropicEvents().slice(0, 4), stall));
    const call = world.messages(STREAM, { key: drainKey });
    await call.until('content_block_start');
    const head = await call.head;
    const leftAt = performance.now();
    call.leave();
    const goneAt = (await world.anthropic.requests[0]?.peerGone) ?? Infinity;
    expect(goneAt - leftAt).toBeGreaterThan(DRAIN_MS * 0.9);
    expect(goneAt - leftAt).toBeLessThan(DRAIN_MS + 1000);
    expect((await world.rowOf(head)).request).toMatchObject({ status: 'aborted', settleStatus: 'estimated' });
  });

  it('gives up after its bytes', async () => {
    const delta = anthropicEvents()[3] ?? '';
    world.anthropic.respondOnce(
      sseThen(anthropicEvents().slice(0, 4), async (exchange) => {
        while (await exchange.chunk(delta.repeat(50)));
      }),
    );
    const call = world.messages(STREAM, { key: drainKey });
    await call.until('content_block_start');
    const leftAt = performance.now();
    call.leave();
    expect(((await world.anthropic.requests[0]?.peerGone) ?? Infinity) - leftAt).toBeLessThan(DRAIN_MS);
  });

  it('gives up when the server stops: the client had left, the stop cut nobody off', async () => {
    const stopping = await startWireWorld({
      projects: [{ slug: 'drains', disconnectPolicy: 'drain' }],
      config: { TALLYGATE_SHUTDOWN_GRACE_MS: '200' },
    });
    try {
      const { key } = await stopping.gate.addKey({ project: 'drains' });
      stopping.anthropic.respondOnce(sseThen(anthropicEvents().slice(0, 4), stall));
      const call = stopping.messages(STREAM, { key });
      await call.until('content_block_start');
      const left = stopping.anthropic.requests[0]?.peerGone;
      call.leave();
      expect(await stopping.gate.terminate()).toBe(0);
      await left;
      await stopping.gate.restart();
      const { request } = await stopping.rowOf(await call.head);
      expect(request).toMatchObject({ status: 'aborted', settleStatus: 'estimated' });
    } finally {
      await stopping.stop();
    }
  });
});

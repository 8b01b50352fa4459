import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { LimitView } from '@tallygate/contract/api/limits';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicEvents, anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { floodAnswer, jsonAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { CutAnswer } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CONNECT_MS = 400;
const SILENCE_MS = 1000;
let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld({
    config: {
      TALLYGATE_CONNECT_TIMEOUT_MS: String(CONNECT_MS),
      TALLYGATE_FIRST_BYTE_TIMEOUT_MS: String(SILENCE_MS),
      TALLYGATE_IDLE_TIMEOUT_MS: String(SILENCE_MS),
    },
  });
});
afterAll(() => world?.stop());

/** Undici checks its timers about every 500 ms; this much later is still on time. */
const SLACK_MS = 2500;

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work;
  return { value, ms: performance.now() - startedAt };
}

/** A listener whose process is stopped and whose backlog is full: new connections hang in the handshake. */
async function unreachablePort(): Promise<{ port: number; free(): void }> {
  const source = `const s = require('net').createServer(() => {}); s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(String(s.address().port)))`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(text);
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  for (let i = 0; i < 8; i++) fillers.push(createConnection(port, '127.0.0.1').on('error', () => {}));
  await once(fillers[0] as Socket, 'connect');
  return {
    port,
    free() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

describe('the three timeouts', () => {
  it('first byte: 504 in the dialect, the upstream is let go, the row says timeout', async () => {
    world.anthropic.respondOnce(stall);
    const { value: answer, ms } = await timed(world.messages(MESSAGES_BODY).answer);
    expect(answer.status).toBe(504);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'timeout_error' } });
    expect(ms).toBeGreaterThanOrEqual(SILENCE_MS * 0.9);
    expect(ms).toBeLessThan(SILENCE_MS + SLACK_MS);
    await world.anthropic.requests.at(-1)?.peerGone;
    const { request, attempts } = await world.rowOf(answer);
    expect(request).toMatchObject({ status: 'timeout', errorCode: 'upstream_timeout', costUsd: null });
    expect(attempts).toMatchObject([{ outcome: 'timeout' }]);
  });

  it('first byte, streaming with OpenAI: 504 in its dialect', async () => {
    world.openai.respondOnce(stall);
    const answer = await world.chat({ ...CHAT_BODY, stream: true }).answer;
    expect(answer.status).toBe(504);
    expect(answer.json()).toMatchObject({ error: { type: 'server_error' } });
  });

  it('idle: a stream that falls silent is cut so that the client sees it, and settled from what came', async () => {
    const events = anthropicEvents();
    world.anthropic.respondOnce(sseThen(events.slice(0, 4), stall));
    const call = world.messages({ ...MESSAGES_BODY, stream: true });
    const { value: error, ms } = await timed(call.answer.catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(CutAnswer);
    expect((error as CutAnswer).body.toString()).toBe(events.slice(0, 4).join(''));
    expect(ms).toBeLessThan(SILENCE_MS + SLACK_MS);
    const { request } = await world.rowOf(await call.head);
    expect(request).toMatchObject({ status: 'timeout', settleStatus: 'estimated' });
    expect(request.tokens).toMatchObject({ inputUncached: 100, cacheRead: 20_000 });
  });

  it('idle does not count against a stream that keeps pinging', async () => {
    const events = anthropicEvents();
    const ping = events[1] ?? '';
    world.anthropic.respondOnce(
      sseThen(events.slice(0, 1), async (exchange) => {
        for (let i = 0; i < 5; i++) {
          await exchange.pause(SILENCE_MS / 2);
          await exchange.chunk(ping);
        }
        for (const event of events.slice(1)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const answer = await world.messages({ ...MESSAGES_BODY, stream: true }).answer;
    expect(answer.text.endsWith(events.at(-1) ?? '')).toBe(true);
  });

  it('a client that takes nothing of its answer is cut off, and the upstream is let go', async () => {
    world.anthropic.respondOnce(floodAnswer(anthropicEvents()[4] ?? '', 200 * 1024 * 1024));
    const call = world.messages({ ...MESSAGES_BODY, stream: true });
    const head = await call.head;
    const answer = call.answer.catch((thrown: unknown) => thrown);
    call.socket.pause();
    await world.anthropic.requests.at(-1)?.peerGone;
    call.socket.resume();
    expect(await answer).toBeInstanceOf(CutAnswer);
    expect((await world.rowOf(head)).request).toMatchObject({ status: 'aborted', settleStatus: 'estimated' });
  });

  it('the same for an answer that is written in one piece, after the upstream has ended', async () => {
    const slots = { scope: 'workspace', measure: 'concurrent_requests', limit: 10 };
    const { id } = await world.gate.admin<LimitView>('POST', '/api/limits', slots);
    const used = async () => {
      const { status } = await world.gate.admin<LimitView>('GET', `/api/limits/${id}`);
      return status.fullest.reduce((sum, one) => sum + one.used, 0);
    };
    world.anthropic.respondOnce(jsonAnswer(anthropicMessage({ text: 'x'.repeat(24 * 1024 * 1024) })));
    const call = world.chat({ ...CHAT_BODY, model: MESSAGES_BODY.model }); // translated, so it is held whole
    const answer = call.answer.catch((thrown: unknown) => thrown);
    await call.head;
    call.socket.pause();
    expect(await used()).toBe(1);
    await eventually('nothing is kept for it', async () => (await used()) === 0);
    call.socket.resume();
    expect(await answer).toBeInstanceOf(CutAnswer);
    await world.gate.admin('DELETE', `/api/limits/${id}`);
  });

  it('connect: 502 or 504 in the dialect within its own bound', async () => {
    const hole = await unreachablePort();
    try {
      await world.gate.addAccount({
        provider: 'anthropic',
        baseUrl: `http://127.0.0.1:${hole.port}`,
        models: ['unreachable'],
        priority: 1,
      });
      const { value: answer, ms } = await timed(
        world.messages({ ...MESSAGES_BODY, model: 'unreachable' }).answer,
      );
      expect([502, 504]).toContain(answer.status);
      expect(answer.json()).toMatchObject({ type: 'error' });
      expect(ms).toBeLessThan(CONNECT_MS + SLACK_MS);
      expect(['timeout', 'upstream_error']).toContain((await world.rowOf(answer)).request.status);
    } finally {
      hole.free();
    }
  });

  it('refused connection: 502 at once', async () => {
    const gone = await world.gate.addAccount({
      provider: 'anthropic',
      baseUrl: 'http://127.0.0.1:1',
      models: ['nobody-home'],
      priority: 1,
    });
    const answer = await world.messages({ ...MESSAGES_BODY, model: 'nobody-home' }).answer;
    expect(answer.status).toBe(502);
    const { request, attempts } = await world.rowOf(answer);
    expect(request).toMatchObject({
      status: 'upstream_error',
      errorCode: 'upstream_connect_failed',
      settleStatus: 'final',
    });
    expect(attempts).toMatchObject([{ outcome: 'connect_failed', account: { id: gone.id } }]);
  });
});

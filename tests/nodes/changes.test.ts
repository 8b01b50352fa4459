import { request } from 'node:http';
import type { PriceOverrideView } from '@tallygate/contract/api/system';
import { dataPaths } from '@tallygate/server/config/data-paths';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import type { Gate } from '@tallygate/testkit/harness';
import { MESSAGES_BODY as BODY, REQUEST_ID_HEADER } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodesWorld, SKIPPED, startNodes } from './nodes-world.ts';

/** What is promised, from the answer on one node to the effect on another. */
const PROMISED_MS = 1_000;

/**
 * How long it took until `probe` gave something: to when it was asked, less what one answer takes at most, for a machine
 * that is busy with other things lets everything wait that long.
 */
async function tookMs(what: string, probe: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  let slowestMs = 0;
  const askedMs = await eventually(what, async () => {
    const atMs = performance.now();
    const answer = await probe();
    slowestMs = Math.max(slowestMs, performance.now() - atMs);
    return answer ? atMs : null;
  });
  return askedMs - startedMs - slowestMs;
}

/** Reads the live view of a node until the text has come. */
function untilStreamed(
  gate: Gate,
  wanted: (text: string) => boolean,
): { open: Promise<void>; seen: Promise<string> } {
  const { controlSocket } = dataPaths(gate.dataDir, process.getuid?.() ?? null);
  const open = Promise.withResolvers<void>();
  const seen = new Promise<string>((resolve, reject) => {
    const path = '/api/requests/stream';
    const sent = request({ socketPath: controlSocket, path, headers: { host: 'localhost' }, agent: false });
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      open.resolve();
      response.once('error', () => undefined);
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (!wanted(text)) return;
        sent.destroy();
        resolve(text);
      });
    });
    sent.end();
  });
  return { open: open.promise, seen };
}

describe.skipIf(SKIPPED !== null).each([
  ['told by Redis', true],
  ['and every message is lost', false],
])('a change on one node, %s (X-08)', { timeout: 180_000 }, (_name, told) => {
  let world: NodesWorld;
  beforeAll(async () => {
    world = await startNodes(2, { config: { TALLYGATE_REDIS_DEADLINE_MS: '1000' } });
    if (!told) {
      await world.redis.command('ACL', 'SETUSER', 'default', 'resetchannels');
      await world.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
  });
  afterAll(() => world?.stop());
  const gate = (node: number): Gate => {
    const found = world.gates[node];
    if (found === undefined) throw new Error('no such node');
    return found;
  };
  const status = (node: number, key?: string) => world.answered(node, BODY, key);

  it('a key, and its end, within a second', async () => {
    for (let round = 0; round < 5; round++) {
      const made = await gate(0).addKey({ name: `k${round}` });
      const known = await tookMs('the key works', async () => (await status(1, made.key)) === 200);
      await gate(0).revokeKey(made.id);
      const gone = await tookMs('the key is refused', async () => (await status(1, made.key)) === 401);
      expect(Math.max(known, gone)).toBeLessThan(PROMISED_MS);
    }
  });

  it('a price, within a second', async () => {
    const prices = { input: '1', output: '1', cacheRead: '1', cacheWrite5m: '1', cacheWrite1h: '1' };
    const made = await gate(0).admin<PriceOverrideView>('POST', '/api/prices/overrides', {
      ...{ provider: 'anthropic', model: BODY.model, usdPerMillion: prices },
    });
    const costs = async () => {
      // No searches: those have a price of their own, which the operator has not set here.
      const usage = { input_tokens: 70, output_tokens: 30 };
      world.upstream.respondOnce(jsonAnswer(anthropicMessage({ usage })));
      const answer = await world.messages(1, BODY).answer;
      const { request } = await gate(1).row(answer.value(REQUEST_ID_HEADER) ?? '');
      return Number(request.costUsd);
    };
    const quoted = async () => {
      const usage = { input_tokens: 1_000_000, output_tokens: 0 };
      const asked = { provider: 'anthropic', model: BODY.model, answer: { usage } };
      const { costUsd } = await gate(1).admin<{ costUsd: string }>('POST', '/api/prices/quote', asked);
      return Number(costUsd) === 1;
    };
    expect(await tookMs('the other node counts by it', quoted)).toBeLessThan(PROMISED_MS);
    expect(await costs()).toBe(0.0001); // a hundred tokens at a dollar a million
    await gate(0).admin('DELETE', `/api/prices/overrides/${made.id}`);
    expect(await tookMs('its end', async () => !(await quoted()))).toBeLessThan(PROMISED_MS);
  });

  it('a new budget refuses, and what it allows from then on is in force, within a second', async () => {
    const refuses = async () => (await status(1)) === 429;
    const made = await gate(0).admin<{ id: string }>('POST', '/api/budgets', {
      ...{ scope: 'workspace', window: 'total', limitRequests: 0 },
    });
    expect(await status(0)).toBe(429); // at once where it was made
    expect(await tookMs('the other node refuses', refuses)).toBeLessThan(PROMISED_MS);
    const allow = (limitRequests: number) =>
      gate(0).admin('PATCH', `/api/budgets/${made.id}`, { limitRequests });
    await allow(1_000);
    expect(await tookMs('it allows', async () => (await status(1)) === 200)).toBeLessThan(PROMISED_MS);
    await allow(0);
    expect(await tookMs('it refuses', refuses)).toBeLessThan(PROMISED_MS);
    await gate(0).admin('DELETE', `/api/budgets/${made.id}`);
    expect(await tookMs('it is gone', async () => (await status(1)) === 200)).toBeLessThan(PROMISED_MS);
  });

  it('what a node lets past a budget that it does not know yet is counted by all', async () => {
    const [open, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.upstream.respondOnce(async (exchange) => {
      reached.resolve();
      await open.promise;
      return jsonAnswer(anthropicMessage())(exchange);
    });
    const body = { ...BODY, model: 'claude-of-this-test' };
    const running = world.messages(1, body).answer;
    await reached.promise;
    const made = await world.budget({ scope: `model:${body.model}`, window: 'day', limitRequests: 1_000 });
    open.resolve();
    expect((await running).status).toBe(200);
    expect((await world.messages(0, body).answer).status).toBe(200);
    const spent = async (node: number) => Number((await world.status(made.id, node)).spent);
    for (const node of [0, 1]) await eventually('both requests count', async () => (await spent(node)) === 2);
  });

  it('the live view of one node shows what another serves', async () => {
    for (const [viewer, server] of [
      [0, 1],
      [1, 0],
    ] as const) {
      let id = '';
      const view = untilStreamed(gate(viewer), (text) => id !== '' && text.includes(id));
      await view.open;
      const served = await world.messages(server, BODY).answer;
      id = served.value(REQUEST_ID_HEADER) ?? 'none';
      // One more, so that the view is read again after the id is known here.
      await world.messages(server, BODY).answer;
      expect(await view.seen).toContain(id);
    }
  });
});

import { anthropicAdapter } from '@tallygate/server/providers/anthropic/adapter';
import type { UsageMeter } from '@tallygate/server/providers/provider';
import { type PlaneGate, startDataPlane } from '@tallygate/testkit/data-plane';
import { anthropicApi, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { CutAnswer, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let upstream: FakeUpstream;
let gate: PlaneGate;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  upstream.respond(anthropicApi());
  gate = await startDataPlane({
    config: { RETRY_ATTEMPTS: '0' },
    accounts: [{ provider: 'anthropic', baseUrl: upstream.url, apiKey: 'sk-1' }],
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await gate.stop();
  await upstream.stop();
});

const ask = (stream: boolean) => {
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    ['x-api-key', gate.key],
  ];
  const body = JSON.stringify({ ...MESSAGES_BODY, stream });
  return rawCall(gate.port, requestBytes({ path: '/v1/messages', headers, body })).answer;
};

const mistake = (): never => {
  throw new TypeError('a mistake');
};

/** From now on meters make a mistake in one of their methods. */
function breakMeters(broken: Partial<UsageMeter>): void {
  const create = anthropicAdapter.createMeter.bind(anthropicAdapter);
  vi.spyOn(anthropicAdapter, 'createMeter').mockImplementation((...args) => {
    const meter = create(...args);
    return {
      markers: meter.markers,
      event: (name, data) => meter.event(name, data),
      body: (text) => meter.body(text),
      usage: () => meter.usage(),
      model: () => meter.model(),
      streamError: () => meter.streamError(),
      ...broken,
    };
  });
}

it('a mistake of the gate in reading an answer ends that answer and no other, and nothing is kept for it (CF-17)', async () => {
  breakMeters({ event: mistake });
  upstream.respondOnce(sseThen(anthropicEvents().slice(0, 4), stall)); // nothing comes with it that could end it
  const broken = await ask(true).catch((error: unknown) => error);
  expect(broken instanceof CutAnswer || (broken as { status: number }).status === 502).toBe(true);
  vi.restoreAllMocks();
  expect((await ask(true)).status).toBe(200);
  expect(await gate.held()).toEqual({ requests: 0, attempts: 0, slots: 0, sockets: 0 });
});

it('a mistake in reckoning what an answer came to keeps the answer, and its row says that the usage is not known (CF-17)', async () => {
  breakMeters({ usage: mistake });
  expect((await ask(false)).status).toBe(200);
  const [row] = await gate.untilRows(1);
  expect(row).toMatchObject({ status: 'ok', settleStatus: 'estimated', costUsd: null });
  expect(await gate.held()).toEqual({ requests: 0, attempts: 0, slots: 0, sockets: 0 });
});

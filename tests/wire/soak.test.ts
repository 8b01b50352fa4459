import {
  anthropicApi,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, type Responder, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { type PoolWorld, startPoolWorld } from '@tallygate/testkit/pool-world';
import { afterEach, expect, it } from 'vitest';

const CALLS = 600;
const AT_ONCE = 12;
const LEAVERS = 60;
/** Timers that the test runner itself may have at the moment; one leaked per request would be hundreds. */
const SPARE = 4;
let world: PoolWorld;
afterEach(() => world.stop());

/** The same faults in the same order on every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const EVENTS = anthropicEvents();
const WHOLE = JSON.stringify(anthropicMessage());

/** What this process has open, of the kinds that requests open. */
function resources(): { timers: number; sockets: number } {
  const kinds = process.getActiveResourcesInfo();
  const count = (kind: string) => kinds.filter((one) => one === kind).length;
  return { timers: count('Timeout'), sockets: count('TCPSocketWrap') };
}

/** Everything that may go wrong before the first content. */
const FAULTS: readonly Responder[] = [
  (exchange) => exchange.reset(),
  (exchange) => exchange.halfClose(),
  (exchange) => exchange.write('garbage\r\n\r\n'),
  stall,
  ...[408, 500, 502, 503, 504, 529, 429].map((status) =>
    jsonAnswer({ type: 'error', error: {} }, { status }),
  ),
  sseThen([OVERLOADED_EVENT], stall),
  // Without a ping, which would bound the wait so tightly that a busy machine decides what the client sees.
  sseThen(EVENTS.slice(0, 1), (exchange) => exchange.reset()),
  sseThen(EVENTS.slice(0, 1), (exchange) => exchange.endChunks()),
  sseThen([EVENTS.slice(0, 2).join('') + OVERLOADED_EVENT], stall),
  async (exchange) => {
    await exchange.head(200, [
      ['Content-Type', 'application/json'],
      ['Content-Length', String(WHOLE.length)],
    ]);
    await exchange.write(WHOLE.slice(0, 40));
    exchange.reset();
  },
];

/** What is wrong with an account rather than with a moment. */
const REFUSALS: readonly Responder[] = [401, 402, 403].map((status) =>
  jsonAnswer({ type: 'error', error: {} }, { status }),
);

it('random faults on three accounts, one healthy: no error, no repeated content, nothing left behind (CF-07)', async () => {
  const before = resources();
  world = await startPoolWorld({
    accounts: [{ name: 'refused' }, { name: 'bad' }, { name: 'worse' }, { name: 'healthy' }].map((spec) => ({
      ...spec,
      priority: 1,
    })),
    config: { LB_STRATEGY: 'round-robin', TALLYGATE_FIRST_BYTE_TIMEOUT_MS: '1000' },
    planeOnly: true,
    countsSlots: true,
  });
  const roll = dice(20_261_122);
  for (const [name, share] of [
    ['bad', 0.5],
    ['worse', 0.9],
  ] as const) {
    const works = anthropicApi();
    world.upstreams[name]?.respond((exchange) => {
      const fault = roll() < share ? FAULTS[Math.floor(roll() * FAULTS.length)] : works;
      return (fault ?? works)(exchange);
    });
  }
  const refusal = () => REFUSALS[Math.floor(roll() * REFUSALS.length)];
  world.upstreams.refused?.respond((exchange) => (refusal() ?? stall)(exchange));
  const wrong: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) {
      const stream = next++ % 2 === 0;
      const answer = await world.messages({ stream }).answer;
      const expected = stream ? EVENTS.join('') : WHOLE;
      if (answer.status !== 200 || answer.text !== expected)
        wrong.push(`${answer.status} ${answer.text.slice(0, 200)}`);
    }
  };
  // Clients that leave in the middle are part of the weather.
  const leavers = async (): Promise<void> => {
    for (let i = 0; i < LEAVERS; i++) {
      const call = world.messages({ stream: true });
      const gone = call.answer.catch(() => null);
      await Promise.race([call.head.catch(() => null), roll() < 0.5 ? gone : Promise.resolve()]);
      call.leave();
      await gone;
    }
  };
  await Promise.all([...Array.from({ length: AT_ONCE }, worker), leavers()]);
  expect(wrong).toEqual([]);
  await expect.poll(() => world.held()).toEqual({ requests: 0, attempts: 0, slots: 0, sockets: 0 });
  const rows = await world.gate.untilRows(CALLS);
  const statuses = rows.map((row) => row.status);
  expect(statuses.filter((status) => status !== 'aborted' && status !== 'ok')).toEqual([]);
  expect(statuses.filter((status) => status === 'ok').length).toBeGreaterThanOrEqual(CALLS);
  // Every client has gone, so nothing may hold an upstream but idle keep-alive connections, which end when the gate does.
  await world.gate.stop();
  const open = () => Object.values(world.upstreams).reduce((sum, one) => sum + one.openConnections(), 0);
  await expect.poll(open).toBe(0);
  await world.stop();
  await expect.poll(() => resources().timers - before.timers).toBeLessThanOrEqual(SPARE);
  await expect.poll(() => resources().sockets - before.sockets).toBeLessThanOrEqual(0);
}, 120_000);

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { LimitView } from '@tallygate/contract/api/limits';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let world: WireWorld;
const sockets: Socket[] = [];
let finish: () => void;
beforeAll(async () => {
  world = await startWireWorld({ keys: [{ name: 'one' }, { name: 'two' }] });
});
afterAll(() => world.stop());
afterEach(() => {
  finish();
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A connection that stays, and all that has come over it. */
async function connect(): Promise<{ socket: Socket; text: () => string }> {
  const socket = createConnection(world.gate.port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, text: () => text };
}
const message = (key: string): Buffer =>
  requestBytes({
    path: '/v1/messages',
    headers: [
      ['content-type', 'application/json'],
      ['anthropic-version', '2023-06-01'],
      ['x-api-key', key],
    ],
    body: JSON.stringify({ ...MESSAGES_BODY, stream: true }),
  });
const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
const keyOf = (index: number): string => world.gate.keys[index]?.key ?? '';

/** Answers begin and go on until `finish`. */
function holdAnswers(): void {
  const wait = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const events = anthropicEvents();
  world.anthropic.clear();
  world.anthropic.respond(
    sseThen(events.slice(0, 2), async (exchange) => {
      await wait;
      for (const event of events.slice(2)) await exchange.chunk(event);
      await exchange.endChunks();
    }),
  );
}
const runningIs = (count: number) =>
  eventually(`${count} requests reached the upstream`, async () =>
    world.anthropic.requests.length === count ? true : null,
  );

describe('what a key runs at once, however many connections it has (CF-13, CW-04)', () => {
  beforeAll(() =>
    world.gate.admin<LimitView>('POST', '/api/limits', {
      ...{ scope: 'workspace', measure: 'concurrent_requests', per: 'key', limit: 2 },
    }),
  );

  it('holds over many connections; one that was refused stays open and serves once there is room', async () => {
    holdAnswers();
    const connections = await Promise.all(Array.from({ length: 6 }, connect));
    for (const { socket } of connections) socket.write(message(keyOf(0)));
    const refused = await eventually('four are refused', async () => {
      const some = connections.filter(({ text }) => statuses(text())[0] === 429);
      return some.length === 4 ? some : null;
    });
    await runningIs(2);
    finish();
    await eventually('the two have ended', async () =>
      connections.filter(({ text }) => text().includes('message_stop')).length === 2 ? true : null,
    );
    world.anthropic.respond(anthropicApi());
    const [again] = refused;
    again?.socket.write(message(keyOf(0)));
    await eventually('the same connection is served', async () =>
      statuses(again?.text() ?? '').join() === '429,200' ? true : null,
    );
  });

  it('holds on one connection that carries several requests', async () => {
    holdAnswers();
    const { socket, text } = await connect();
    socket.write(Buffer.concat(Array.from({ length: 4 }, () => message(keyOf(0)))));
    await runningIs(2);
    finish();
    await eventually('all are answered, in order', async () => (statuses(text()).length === 4 ? true : null));
    expect(statuses(text())).toEqual([200, 200, 429, 429]);
    expect(world.anthropic.requests).toHaveLength(2);
  });

  it('counts each request for its own key where a connection changes it', async () => {
    holdAnswers();
    const { socket, text } = await connect();
    const turns = [0, 1, 0, 1, 0, 1].map((index) => message(keyOf(index)));
    socket.write(Buffer.concat(turns));
    await runningIs(4);
    finish();
    await eventually('all are answered', async () => (statuses(text()).length === 6 ? true : null));
    expect(statuses(text())).toEqual([200, 200, 200, 200, 429, 429]);
  });
});

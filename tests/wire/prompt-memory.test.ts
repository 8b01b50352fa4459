import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type PlaneGate, startDataPlane } from '@tallygate/testkit/data-plane';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, expect, it } from 'vitest';

const STREAMS = 24;
const PROMPT_BYTES = 1024 * 1024;
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';

let upstream: Server;
let gate: PlaneGate;
/** Sends the rest of each answer. */
const finish: (() => void)[] = [];

/** Throws requests away as they come, begins to answer once one is whole, and ends when told: nothing here keeps a prompt. */
function discardingUpstream(): Server {
  const [first = '', ...rest] = anthropicEvents();
  const content = rest.findIndex((event) => event.includes('content_block_delta')) + 1;
  return createServer((socket) => {
    let missing: number | null = null;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (missing === null) {
        const end = bytes.indexOf('\r\n\r\n') + 4;
        missing = Number(/content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1]) + end;
      }
      missing -= bytes.length;
      if (missing > 0) return;
      socket.write(HEAD + first + rest.slice(0, content).join(''));
      finish.push(() => socket.end(rest.slice(content).join('')));
    });
  });
}

beforeAll(async () => {
  upstream = discardingUpstream().listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  gate = await startDataPlane({
    countsSlots: true, // so that what a limit may ask about a body is there as well
    accounts: [{ provider: 'anthropic', baseUrl: `http://127.0.0.1:${port}` }],
  });
});
afterAll(async () => {
  await gate.stop();
  upstream.close();
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are in use in this process, which is the gate as well. */
async function usedBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise(setImmediate); // buffers go when their sockets have told that they are written
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('a prompt is in memory until the answer begins, and not for as long as that takes (CF-13)', async () => {
  const system = 'You are a careful assistant. '.repeat(PROMPT_BYTES / 29);
  const bytes = requestBytes({
    path: '/v1/messages',
    headers: [
      ['content-type', 'application/json'],
      ['x-api-key', gate.key],
    ],
    body: JSON.stringify({ ...MESSAGES_BODY, system, stream: true }),
  });
  const before = await usedBytes();
  const calls = Array.from({ length: STREAMS }, () => rawCall(gate.port, bytes));
  await Promise.all(calls.map((call) => call.until('content_block_delta')));
  const during = await usedBytes();
  for (const end of finish) end();
  const answers = await Promise.all(calls.map((call) => call.answer));
  expect(answers.map(({ status }) => status)).toEqual(Array(STREAMS).fill(200));
  expect((during - before) / STREAMS).toBeLessThan(PROMPT_BYTES / 4);
});

import { readFileSync } from 'node:fs';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { floodAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MIB = 1024 * 1024;
const TOTAL = 200 * MIB;
/** What sockets on both sides and the streams in between may hold for one slow client. */
const IN_TRANSIT = 32 * MIB;
/** Growth of the process for a 200 MiB stream that nobody reads; far below what holding it would take. */
const RSS_GROWTH = 60 * MIB;

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());

function rssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

describe.runIf(process.platform === 'linux')('back-pressure (CF-01)', () => {
  it('a client that does not read stops the upstream, and the memory of the gate stays flat', async () => {
    const delta = anthropicEvents()[4] ?? '';
    let sent = 0;
    world.anthropic.respondOnce(
      floodAnswer(delta, TOTAL, (bytes) => {
        sent = bytes;
      }),
    );
    await world.messages(MESSAGES_BODY).answer.catch(() => null); // warm: compiled before memory is compared
    sent = 0;
    world.anthropic.respondOnce(
      floodAnswer(delta, TOTAL, (bytes) => {
        sent = bytes;
      }),
    );
    const before = rssBytes(world.gate.pid);
    const call = world.messages({ ...MESSAGES_BODY, stream: true });
    await call.head;
    call.socket.pause();
    // Stalled: the upstream's count stays the same over many looks.
    let last = -1;
    let same = 0;
    await eventually('the upstream stalls', () => {
      same = sent === last && sent > 0 ? same + 1 : 0;
      last = sent;
      return same >= 20;
    });
    expect(sent).toBeLessThan(IN_TRANSIT);
    expect(rssBytes(world.gate.pid) - before).toBeLessThan(RSS_GROWTH);
    // Somebody else is served as usual meanwhile.
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
    // And when the client reads again, the rest comes.
    call.socket.removeAllListeners('data');
    let tail = Buffer.alloc(0);
    call.socket.on('data', (bytes: Buffer) => {
      tail = Buffer.from(Buffer.concat([tail, bytes]).subarray(-5));
    });
    call.socket.resume();
    await eventually('the last chunk arrives', () => tail.toString() === '0\r\n\r\n', 60_000);
    expect(sent).toBeGreaterThanOrEqual(TOTAL);
    expect(rssBytes(world.gate.pid) - before).toBeLessThan(RSS_GROWTH);
    call.leave();
  }, 90_000);

  it('a slow client that gives up frees the upstream', async () => {
    const delta = anthropicEvents()[4] ?? '';
    world.anthropic.clear();
    world.anthropic.respondOnce(floodAnswer(delta, TOTAL));
    const call = world.messages({ ...MESSAGES_BODY, stream: true });
    await call.head;
    call.socket.pause();
    const request = await world.anthropic.nextRequest();
    const leftAt = performance.now();
    call.leave();
    expect((await request.peerGone) - leftAt).toBeLessThan(1000);
  });
});

import { eventually } from '@tallygate/testkit/eventually';
import { answers, OK, poolWorld, send, serve, turn, UNTIL_CLOSE } from '@tallygate/testkit/pool-connections';
import type { UpstreamSocket } from '@tallygate/testkit/socket-upstream';
import { describe, expect, it } from 'vitest';

const world = poolWorld();
const { egressOf, upstream } = world;

describe('connections that are kept', () => {
  it('serve one request after the other', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    for (let i = 0; i < 3; i++)
      expect(await serve(egress, origin)).toMatchObject({ statuses: [200], body: 'ok', ended: 'end' });
    expect(connections.map(({ requests }) => requests)).toEqual([3]);
  });

  it('do not make requests wait for each other, and the one that was used last is taken first', async () => {
    const waiting: UpstreamSocket[] = [];
    const { origin, connections } = await upstream((connection) => void waiting.push(connection));
    const egress = egressOf();
    const sent = [send(egress, origin), send(egress, origin), send(egress, origin)];
    await eventually('all are under way', () => waiting.length === 3);
    const [first, second, third] = waiting.splice(0);
    for (const connection of [first, third, second]) {
      connection?.socket.write(OK);
      await eventually(
        'one more is free',
        () => egress.upstream({ origin, allowPrivate: true }).running < sent.length,
      );
      sent.pop();
    }
    await turn();
    send(egress, origin);
    await eventually('it came', () => waiting.length === 1);
    expect(waiting[0]).toBe(second);
    expect(connections).toHaveLength(3);
  });

  it.each([
    ['says so', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok'],
    [
      'keeps it no longer than a request may take',
      'HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok',
    ],
    ['sends more than its answer', `${OK}${OK}`],
    ['may send a body that must not be there', 'HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\n'],
  ])('are not used again when the upstream %s', async (_why, text) => {
    const { origin, connections } = await upstream(answers(text));
    const egress = egressOf();
    for (let i = 0; i < 2; i++) expect((await serve(egress, origin)).ended).toBe('end');
    expect(connections.map(({ requests }) => requests)).toEqual([1, 1]);
    await eventually('both are closed', () => connections.every(({ socket }) => socket.closed));
  });

  it.each(['HEAD', 'GET'] as const)(
    'are not used again after a %s that may leave something behind',
    async (method) => {
      const { origin, connections } = await upstream(
        answers(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n' : OK),
      );
      const egress = egressOf();
      const body = method === 'GET' ? Buffer.from('x') : null;
      for (let i = 0; i < 2; i++)
        expect(await serve(egress, origin, { method, body })).toMatchObject({
          ended: 'end',
          statuses: [200],
        });
      expect(connections.map(({ received }) => /connection: (\S+)/.exec(received)?.[1])).toEqual([
        'close',
        'close',
      ]);
    },
  );

  it.each([
    ['30 s', '', 30_000],
    ['2 s less than the upstream names', 'keep-alive: timeout=7, max=100\r\n', 5_000],
    ['10 minutes at most', 'Keep-Alive: timeout=99999\r\n', 600_000],
  ])('are kept for %s', async (_how, head, keptMs) => {
    const { origin, connections } = await upstream(
      answers(`HTTP/1.1 200 OK\r\n${head}content-length: 2\r\n\r\nok`),
    );
    const egress = egressOf();
    await serve(egress, origin);
    await world.time.advance(keptMs - 1);
    await serve(egress, origin);
    expect(connections).toHaveLength(1);
    await world.time.advance(keptMs);
    await eventually('it was closed', () => connections[0]?.socket.closed);
    await serve(egress, origin);
    expect(connections).toHaveLength(2);
  });

  it('are dropped when the upstream closes them, and the next request opens another', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    connections[0]?.socket.end();
    await eventually('it is gone', () => connections[0]?.socket.closed);
    expect((await serve(egress, origin)).ended).toBe('end');
    expect(connections).toHaveLength(2);
  });
});

describe('what an upstream sends unasked', () => {
  it('ends the connection and is never the next answer', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    connections[0]?.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nEVIL');
    await eventually('the connection was dropped', () => connections[0]?.socket.closed);
    expect(await serve(egress, origin)).toMatchObject({ body: 'ok', ended: 'end' });
    expect(connections.map(({ requests }) => requests)).toEqual([1, 1]);
  });

  it.each([
    [
      'bytes',
      ({ socket }: UpstreamSocket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nEVIL'),
    ],
    ['a reset', ({ socket }: UpstreamSocket) => void socket.resetAndDestroy()],
  ])('is seen before a request is written that found the connection free: %s', async (_what, misbehave) => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    const [first] = connections;
    if (first === undefined) throw new Error('no connection');
    misbehave(first); // the kernel has it now, and nobody has read it
    const sent = send(egress, origin);
    await sent.done;
    expect(sent).toMatchObject({ body: 'ok', ended: 'end' });
    expect(connections.map(({ requests }) => requests)).toEqual([1, 1]);
  });

  it('ends a request that it cannot be the answer to', async () => {
    const { origin } = await upstream(answers('nonsense\r\n\r\n'));
    const sent = send(egressOf(), origin);
    expect(await sent.done).toBe('HTTP_ANSWER_MALFORMED');
    expect(sent.statuses).toEqual([]);
  });
});

describe('a connection that ends under a request', () => {
  it.each([
    ['before a byte of the answer', ''],
    ['in the head', 'HTTP/1.1 200 OK\r\ncont'],
    ['in the body', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nok'],
  ])('%s: an error, on a new connection and on one that was used', async (_when, text) => {
    let asked = 0;
    const { origin, connections } = await upstream(({ socket }) => {
      asked += 1;
      if (asked === 2) socket.write(OK);
      else socket.end(text);
    });
    const egress = egressOf();
    expect((await serve(egress, origin)).ended).toBe('HTTP_CONNECTION_CLOSED');
    expect((await serve(egress, origin)).ended).toBe('end');
    expect((await serve(egress, origin)).ended).toBe('HTTP_CONNECTION_CLOSED');
    expect(connections.map(({ requests }) => requests)).toEqual([1, 2]);
  });

  it('in due form is the end of an answer that has no other', async () => {
    const { origin } = await upstream(({ socket }) => void socket.end(`${UNTIL_CLOSE}so far`));
    expect(await serve(egressOf(), origin)).toMatchObject({ body: 'so far', ended: 'end' });
  });

  it('by a reset never is', async () => {
    const { origin, connections } = await upstream(answers(`${UNTIL_CLOSE}so far`));
    const sent = send(egressOf(), origin);
    await eventually('it has begun', () => sent.body === 'so far');
    connections[0]?.socket.resetAndDestroy();
    expect(await sent.done).toBe('ECONNRESET');
  });
});

describe('time', () => {
  it('for the head runs from when the request was written, whatever trickles in', async () => {
    const { origin, connections } = await upstream(({ socket }) => void socket.write('HTTP/1.1 200 OK\r\n'));
    const sent = send(egressOf(), origin);
    await eventually('it came', () => connections[0]?.requests === 1);
    await world.time.advance(999);
    connections[0]?.socket.write('x: 1\r\n');
    await turn();
    expect(sent.ended).toBeNull();
    await world.time.advance(1);
    expect(await sent.done).toBe('HTTP_HEAD_TIMEOUT');
    await eventually('it was let go', () => connections[0]?.socket.closed);
  });

  it('begins anew with an interim answer', async () => {
    const { origin, connections } = await upstream(() => undefined);
    const sent = send(egressOf(), origin);
    await eventually('it came', () => connections[0]?.requests === 1);
    await world.time.advance(900);
    connections[0]?.socket.write('HTTP/1.1 103 Early Hints\r\n\r\n');
    await eventually('it was seen', () => sent.statuses.length === 1);
    await world.time.advance(999);
    expect(sent.ended).toBeNull();
    await world.time.advance(1);
    expect(await sent.done).toBe('HTTP_HEAD_TIMEOUT');
  });

  it('for the body runs from its last bytes', async () => {
    const { origin, connections } = await upstream(answers('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'));
    const sent = send(egressOf(), origin);
    await eventually('it has begun', () => sent.statuses.length === 1);
    for (let i = 1; i <= 3; i++) {
      await world.time.advance(499);
      connections[0]?.socket.write('x');
      await eventually('a byte came', () => sent.bytes === i);
    }
    await world.time.advance(499);
    expect(sent.ended).toBeNull();
    await world.time.advance(1);
    expect(await sent.done).toBe('HTTP_BODY_TIMEOUT');
  });

  it('does not run for the body while we do not read', async () => {
    const { origin, connections } = await upstream(answers('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'));
    const sent = send(egressOf(), origin);
    await eventually('it has begun', () => sent.statuses.length === 1);
    sent.controller?.pause();
    await world.time.advance(60_000);
    connections[0]?.socket.write('x');
    await turn();
    expect([sent.ended, sent.bytes]).toEqual([null, 0]);
    sent.controller?.resume();
    await eventually('it came', () => sent.bytes === 1);
    await world.time.advance(500);
    expect(await sent.done).toBe('HTTP_BODY_TIMEOUT');
  });
});

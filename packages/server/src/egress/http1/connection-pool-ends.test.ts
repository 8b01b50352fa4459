import { eventually } from '@tallygate/testkit/eventually';
import { answers, OK, poolWorld, Sent, send, serve, turn } from '@tallygate/testkit/pool-connections';
import { describe, expect, it } from 'vitest';
import type { UpstreamController } from './upstream-handler.ts';

const { egressOf, upstream } = poolWorld();

describe('giving up', () => {
  it('ends the connection at once, and the handler hears the reason before anything else', async () => {
    const { origin, connections } = await upstream(
      answers('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxx'),
    );
    const egress = egressOf();
    const sent = send(egress, origin);
    await eventually('it has begun', () => sent.bytes === 2);
    sent.controller?.abort(new Error('enough'));
    expect(sent.ended).toBe('enough');
    expect(egress.upstream({ origin, allowPrivate: true }).running).toBe(0);
    await eventually('it was let go', () => connections[0]?.socket.closed);
    sent.controller?.abort(new Error('again'));
    expect(sent.ended).toBe('enough');
  });

  it.each(['onResponseStart', 'onResponseData'] as const)(
    'in %s stops what the same read holds',
    async (when) => {
      const { origin } = await upstream(answers(OK));
      const sent = new Sent();
      const before = sent[when].bind(sent) as (controller: UpstreamController, what: never) => void;
      sent[when] = (controller: UpstreamController, what: number | Buffer) => {
        before(controller, what as never);
        controller.abort(new Error('enough'));
      };
      send(egressOf(), origin, { handler: sent });
      await sent.done;
      await turn();
      expect(sent).toMatchObject({ ended: 'enough', body: when === 'onResponseData' ? 'ok' : '' });
    },
  );

  it('when it starts sends nothing', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    const sent = new Sent();
    sent.onRequestStart = (controller) => controller.abort(new Error('gone'));
    send(egress, origin, { handler: sent });
    expect(await sent.done).toBe('gone');
    await eventually('the connection is closed', () => connections[0]?.socket.closed ?? false);
    expect(connections[0]?.received).toBe('');
  });

  it('while it connects ends that too', async () => {
    let looked = 0;
    const egress = egressOf({ resolve: () => void looked++ });
    const origin = 'http://upstream.example';
    const sent = send(egress, origin);
    expect([sent.ended, looked]).toEqual([null, 1]);
    sent.controller?.abort(new Error('gone'));
    expect(sent).toMatchObject({ ended: 'gone', started: false });
    expect(egress.upstream({ origin, allowPrivate: true }).running).toBe(0);
    await egress.close(); // waits for nothing
  });

  it('while it connects opens nothing any more', async () => {
    const { port, connections } = await upstream(answers(OK));
    const looking: (() => void)[] = [];
    const egress = egressOf({
      resolve: (_name, _options, done) =>
        void looking.push(() => done(null, [{ address: '127.0.0.1', family: 4 }])),
    });
    const given = send(egress, `http://given-up.example:${port}`);
    const kept = send(egress, `http://kept.example:${port}`);
    given.controller?.abort(new Error('gone'));
    for (const found of looking) found();
    expect(await kept.done).toBe('end');
    await turn();
    expect(connections).toHaveLength(1);
  });

  it('while it waits for its turn leaves the connection to others', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    const sent = send(egress, origin);
    sent.controller?.abort(new Error('gone'));
    expect(sent).toMatchObject({ ended: 'gone', started: false });
    await turn();
    expect((await serve(egress, origin)).ended).toBe('end');
    expect(connections.map(({ requests }) => requests)).toEqual([2]);
  });

  it('touches nobody else: a controller whose answer has ended does nothing', async () => {
    const { origin, connections } = await upstream(({ socket, requests }) => {
      if (requests === 1) socket.write(OK);
    });
    const egress = egressOf();
    const first = await serve(egress, origin);
    const second = send(egress, origin);
    await eventually('it is under way', () => connections[0]?.requests === 2);
    first.controller?.abort(new Error('late'));
    first.controller?.pause();
    connections[0]?.socket.write(OK);
    expect(await second.done).toBe('end');
    expect(first.ended).toBe('end');
  });
});

describe('the end of a pool', () => {
  it('close lets what is under way end, and closes the rest', async () => {
    const { origin, connections } = await upstream((connection) => {
      if (connections[0] === connection && connection.requests === 1) connection.socket.write(OK);
    });
    const egress = egressOf();
    await serve(egress, origin);
    const [free] = connections;
    const running = [send(egress, origin), send(egress, origin)];
    await eventually(
      'both are under way',
      () => connections.length === 2 && connections.every(({ requests }) => requests > 0),
    );
    let closed = false;
    const closing = egress.close().then(() => {
      closed = true;
    });
    await turn();
    expect(closed).toBe(false);
    for (const { socket } of connections) socket.write(OK);
    for (const { done } of running) expect(await done).toBe('end');
    await closing;
    expect(free?.requests).toBe(2);
    await eventually('all are closed', () => connections.every(({ socket }) => socket.closed));
  });

  it('close lets a request go on that waits for its turn or its connection', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    const sent = [send(egress, origin), send(egress, origin)];
    await egress.close();
    for (const { done } of sent) expect(await done).toBe('end');
    expect(connections).toHaveLength(2);
  });

  it('destroy ends everything: what runs, what connects, what waits', async () => {
    const { origin, connections } = await upstream(({ socket, requests }) => {
      if (requests === 1) socket.write(OK);
    });
    const egress = egressOf({ resolve: () => undefined });
    await serve(egress, origin);
    const running = send(egress, origin);
    await eventually('it is under way', () => connections[0]?.requests === 2);
    const connecting = send(egress, 'http://upstream.example');
    await egress.destroy();
    expect([running.ended, connecting.ended]).toEqual(['HTTP_POOL_CLOSED', 'HTTP_POOL_CLOSED']);
    await eventually('it is closed', () => connections[0]?.socket.closed);
  });

  it('destroy ends a request that waits for its turn', async () => {
    const { origin } = await upstream(answers(OK));
    const egress = egressOf();
    await serve(egress, origin);
    const waiting = send(egress, origin);
    await egress.destroy();
    await turn();
    expect(waiting).toMatchObject({ ended: 'HTTP_POOL_CLOSED', started: false });
  });

  it('a pool that is closed takes no request', async () => {
    const { origin } = await upstream(answers(OK));
    const egress = egressOf();
    const pool = egress.upstream({ origin, allowPrivate: true });
    await egress.close();
    const request = {
      method: 'GET',
      path: '/',
      headers: [],
      body: null,
      headTimeoutMs: 1,
      bodyTimeoutMs: 1,
    } as const;
    expect(() => pool.send(request, new Sent())).toThrow(/closed/);
  });
});

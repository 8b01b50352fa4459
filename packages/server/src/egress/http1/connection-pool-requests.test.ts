import { eventually } from '@tallygate/testkit/eventually';
import { answers, OK, poolWorld, Sent, send, serve, turn } from '@tallygate/testkit/pool-connections';
import { describe, expect, it } from 'vitest';

const { egressOf, upstream } = poolWorld();

describe('back-pressure', () => {
  it('stops the upstream, and loses nothing', async () => {
    const total = 64 * 1024 * 1024;
    const { origin, connections } = await upstream(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
      socket.write(Buffer.alloc(total, 'x'));
    });
    const sent = new Sent();
    sent.onResponseData = (controller, bytes) => {
      sent.bytes += bytes.length;
      if (sent.bytes === bytes.length) controller.pause();
    };
    send(egressOf(), origin, { handler: sent });
    await eventually('the upstream is stuck', async () => {
      const before = connections[0]?.socket.bytesWritten;
      for (let i = 0; i < 50; i++) await turn();
      return (
        sent.bytes > 0 &&
        (connections[0]?.socket.writableLength ?? 0) > 0 &&
        before === connections[0]?.socket.bytesWritten
      );
    });
    expect(sent.bytes).toBeLessThan(1024 * 1024);
    sent.controller?.resume();
    expect(await sent.done).toBe('end');
    expect(sent.bytes).toBe(total);
  });

  it('leaves a connection that works when the answer ended all the same', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    const sent = new Sent();
    sent.onResponseData = (controller) => controller.pause();
    send(egress, origin, { handler: sent });
    expect(await sent.done).toBe('end');
    await turn();
    sent.controller?.pause(); // too late, and none of the next one's business
    expect(await serve(egress, origin)).toMatchObject({ body: 'ok', ended: 'end' });
    expect(connections).toHaveLength(1);
  });
});

describe('mistakes of a handler', () => {
  it.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const)(
    'in %s are heard by it as an error',
    async (when) => {
      const { origin } = await upstream(answers(OK));
      const sent = new Sent();
      sent[when] = () => {
        throw new Error('a mistake');
      };
      send(egressOf(), origin, { handler: sent });
      expect(await sent.done).toBe('a mistake');
    },
  );
});

describe('requests', () => {
  it.each([0, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000])(
    'with a body of %i bytes arrive whole',
    async (length) => {
      const { origin, connections } = await upstream(answers(OK));
      const body = Buffer.alloc(length, 'ab');
      await serve(egressOf(), origin, { path: '/x?y', headers: ['x-a', '\xe9'], body });
      expect(connections[0]?.received).toBe(
        `POST /x?y HTTP/1.1\r\nhost: ${origin.slice(7)}\r\nconnection: keep-alive\r\nx-a: \xe9\r\ncontent-length: ${length}\r\n\r\n${body.toString('latin1')}`,
      );
    },
  );

  it('are byte for byte what they were with undici', async () => {
    const { origin, connections } = await upstream(answers(OK));
    const egress = egressOf();
    const headers = ['Content-Type', 'application/json', 'x-Empty', '', 'accept', 'a, b', 'Accept', '\xe9'];
    for (const [method, text] of [
      ['POST', 'body'],
      ['POST', null],
      ['GET', null],
      ['HEAD', null],
    ] as const) {
      const body = text === null ? null : Buffer.from(text);
      const path = '/v1/x?y=%20';
      await new Promise<void>((done) => {
        const ended = (): void => done();
        const handler = {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd: ended,
          onResponseError: ended,
        };
        egress
          .connections({ origin, allowPrivate: true })
          .dispatch({ path, method, headers: [...headers], body }, handler);
      });
      const theirs = connections.reduce((all, { received }) => all + received, '');
      for (const connection of connections) connection.received = '';
      await serve(egress, origin, { path, method, headers, body });
      expect(connections.reduce((all, { received }) => all + received, '')).toBe(theirs);
      for (const connection of connections) connection.received = '';
    }
  });

  it('that cannot be sent are refused, and nothing is opened', async () => {
    const { origin, connections } = await upstream(answers(OK));
    expect(() => send(egressOf(), origin, { headers: ['x', 'a\r\nb: c'] })).toThrow(/cannot be sent/);
    await turn();
    expect(connections).toHaveLength(0);
  });

  it('that are answered before they were sent whole get the answer, and their connection is not used again', async () => {
    const { origin, connections } = await upstream(() => undefined);
    const egress = egressOf();
    const sent = send(egress, origin, { body: Buffer.alloc(64 * 1024 * 1024) });
    await eventually(
      'it has begun',
      () => connections[0]?.received !== undefined && connections[0].received.length > 0,
    );
    connections[0]?.socket.pause();
    connections[0]?.socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
    expect(await sent.done).toBe('end');
    expect(sent).toMatchObject({ statuses: [413], body: 'no' });
    await turn();
    send(egress, origin);
    await eventually('another was opened', () => connections.length === 2);
  });

  it('fail with the network’s own error when nobody listens', async () => {
    const gone = await upstream(() => undefined);
    gone.close();
    expect(await send(egressOf(), gone.origin).done).toBe('ECONNREFUSED');
  });
});

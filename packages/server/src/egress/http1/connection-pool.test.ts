import { eventually } from '@tallygate/testkit/eventually';
import { ManualTimers } from '@tallygate/testkit/manual-timers';
import { type SocketUpstream, socketUpstream, type UpstreamSocket } from '@tallygate/testkit/socket-upstream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress, type EgressOptions } from '../egress.ts';
import { createEgressPolicy } from '../egress-policy.ts';
import type { UpstreamRequest } from './request-head.ts';
import type { UpstreamController, UpstreamHandler } from './upstream-handler.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\n\r\n';
/** A loop of events has gone round, whatever was to be read has been. */
const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

const closing: (() => unknown)[] = [];
let time: ManualTimers;
beforeEach(() => {
  time = new ManualTimers(0);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function egressOf(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({
    connectTimeoutMs: 2_000,
    policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
    timers: { ...time.clock(), after: time.after },
    ...options,
  });
  closing.push(() => egress.destroy());
  return egress;
}

async function upstream(onRequest: (connection: UpstreamSocket) => void): Promise<SocketUpstream> {
  const made = await socketUpstream(onRequest);
  closing.push(() => made.close());
  return made;
}

const answers =
  (text: string) =>
  ({ socket }: UpstreamSocket): void =>
    void socket.write(text, 'latin1');

/** A request and all that was heard of it. */
class Sent implements UpstreamHandler {
  controller: UpstreamController | null = null;
  statuses: number[] = [];
  body = '';
  started = false;
  /** Code or message of the error; 'end' for an answer that was whole. */
  ended: string | null = null;
  bytes = 0;
  readonly done: Promise<string>;
  #tell: (how: string) => void = () => undefined;

  constructor() {
    this.done = new Promise((tell) => {
      this.#tell = tell;
    });
  }

  onRequestQueued(controller: UpstreamController): void {
    this.controller = controller;
  }
  onRequestStart(_controller: UpstreamController): void {
    this.started = true;
  }
  onResponseStart(_controller: UpstreamController, status: number): void {
    this.statuses.push(status);
  }
  onResponseData(_controller: UpstreamController, bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.body.length < 1000) this.body += bytes.toString('latin1');
  }
  onResponseEnd(): void {
    this.#end('end');
  }
  onResponseError(_controller: UpstreamController, error: Error): void {
    this.#end('code' in error ? String(error.code) : error.message);
  }
  #end(how: string): void {
    this.ended = this.ended === null ? how : `${this.ended}, then ${how}`;
    this.#tell(how);
  }
}

function send(
  egress: Egress,
  origin: string,
  { handler = new Sent(), ...change }: Partial<UpstreamRequest> & { handler?: Sent } = {},
): Sent {
  const request = {
    method: 'POST',
    path: '/',
    headers: [],
    body: null,
    headTimeoutMs: 1_000,
    bodyTimeoutMs: 500,
  };
  egress.upstream({ origin, allowPrivate: true }).send({ ...request, ...change } as UpstreamRequest, handler);
  return handler;
}

/** Sends, and gives the connection back. */
async function serve(egress: Egress, origin: string, change: Partial<UpstreamRequest> = {}): Promise<Sent> {
  const sent = send(egress, origin, change);
  await sent.done;
  await turn();
  return sent;
}

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
    await time.advance(keptMs - 1);
    await serve(egress, origin);
    expect(connections).toHaveLength(1);
    await time.advance(keptMs);
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
    await time.advance(999);
    connections[0]?.socket.write('x: 1\r\n');
    await turn();
    expect(sent.ended).toBeNull();
    await time.advance(1);
    expect(await sent.done).toBe('HTTP_HEAD_TIMEOUT');
    await eventually('it was let go', () => connections[0]?.socket.closed);
  });

  it('begins anew with an interim answer', async () => {
    const { origin, connections } = await upstream(() => undefined);
    const sent = send(egressOf(), origin);
    await eventually('it came', () => connections[0]?.requests === 1);
    await time.advance(900);
    connections[0]?.socket.write('HTTP/1.1 103 Early Hints\r\n\r\n');
    await eventually('it was seen', () => sent.statuses.length === 1);
    await time.advance(999);
    expect(sent.ended).toBeNull();
    await time.advance(1);
    expect(await sent.done).toBe('HTTP_HEAD_TIMEOUT');
  });

  it('for the body runs from its last bytes', async () => {
    const { origin, connections } = await upstream(answers('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'));
    const sent = send(egressOf(), origin);
    await eventually('it has begun', () => sent.statuses.length === 1);
    for (let i = 1; i <= 3; i++) {
      await time.advance(499);
      connections[0]?.socket.write('x');
      await eventually('a byte came', () => sent.bytes === i);
    }
    await time.advance(499);
    expect(sent.ended).toBeNull();
    await time.advance(1);
    expect(await sent.done).toBe('HTTP_BODY_TIMEOUT');
  });

  it('does not run for the body while we do not read', async () => {
    const { origin, connections } = await upstream(answers('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'));
    const sent = send(egressOf(), origin);
    await eventually('it has begun', () => sent.statuses.length === 1);
    sent.controller?.pause();
    await time.advance(60_000);
    connections[0]?.socket.write('x');
    await turn();
    expect([sent.ended, sent.bytes]).toEqual([null, 0]);
    sent.controller?.resume();
    await eventually('it came', () => sent.bytes === 1);
    await time.advance(500);
    expect(await sent.done).toBe('HTTP_BODY_TIMEOUT');
  });
});

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

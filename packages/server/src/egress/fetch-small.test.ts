import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress } from './egress.ts';
import { createEgressPolicy } from './egress-policy.ts';
import { fetchSmall, GaveUp, jsonOf, type SmallCall } from './fetch-small.ts';
import type { Resolver } from './guarded-lookup.ts';

const POLICY = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
const CALL: SmallCall = {
  path: '/token',
  method: 'POST',
  headers: ['content-type', 'text/plain'],
  body: 'grant',
  deadlineMs: 5_000,
  maxBytes: 1_000,
};

let server: Server;
let origin: string;
let egress: Egress;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: { method: string; url: string; body: string }[] = [];
/** Connections that the other side closed. */
let closed = 0;
beforeEach(async () => {
  requests.splice(0);
  closed = 0;
  answer = (_request, response) => void response.end('{}');
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ method: request.method ?? '', url: request.url ?? '', body });
    answer(request, response);
  });
  server.on('connection', (socket) => {
    socket.on('close', () => {
      closed += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  egress = createEgress({ connectTimeoutMs: 2_000, policy: POLICY });
});
afterEach(async () => {
  await egress.destroy();
  server.closeAllConnections();
  server.close();
});

const fetched = (change: Partial<SmallCall> = {}) =>
  fetchSmall(egress.connections({ origin, allowPrivate: true }), { ...CALL, ...change });

describe('fetchSmall', () => {
  it('sends what it is given and hands the whole answer back, errors as well', async () => {
    answer = (_request, response) => void response.writeHead(418).end('{"error":"teapot"}');
    const got = await fetched();
    expect(requests).toEqual([{ method: 'POST', url: '/token', body: 'grant' }]);
    expect([got.status, got.body.toString()]).toEqual([418, '{"error":"teapot"}']);
    expect(await fetched({ method: 'GET', path: '/x?y=1', body: null })).toMatchObject({ status: 418 });
    expect(requests[1]).toEqual({ method: 'GET', url: '/x?y=1', body: '' });
  });

  it.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (status) => {
    answer = (_request, response) => void response.writeHead(status, { location: '/elsewhere' }).end();
    expect((await fetched()).status).toBe(status);
    expect(requests.map(({ url }) => url)).toEqual(['/token']);
  });

  it('takes as many bytes as are permitted and not one more, and hangs up then', async () => {
    answer = (_request, response) => void response.end('x'.repeat(1_000));
    expect((await fetched()).body).toHaveLength(1_000);
    answer = (_request, response) => void response.end('x'.repeat(1_001));
    await expect(fetched()).rejects.toThrow('larger than 1000 bytes');
    await expect(fetched()).rejects.toBeInstanceOf(GaveUp);
  });

  it('stops reading an answer without an end', async () => {
    let timer: NodeJS.Timeout | undefined;
    answer = (_request, response) => {
      response.on('close', () => clearInterval(timer));
      timer = setInterval(() => response.write('x'.repeat(400)), 1);
    };
    await expect(fetched()).rejects.toThrow('larger than 1000 bytes');
    await eventually('it hung up', () => closed === 1);
  });

  it('gives up on silence and on an answer that trickles, at its deadline', async () => {
    answer = () => undefined;
    await expect(fetched({ deadlineMs: 60 })).rejects.toThrow('did not answer in time');
    let timer: NodeJS.Timeout | undefined;
    answer = (_request, response) => {
      response.on('close', () => clearInterval(timer));
      timer = setInterval(() => response.write('x'), 10); // never silent for long, never finished
    };
    await expect(fetched({ deadlineMs: 150 })).rejects.toThrow('did not answer in time');
    await eventually('it hung up both times', () => closed === 2);
  });

  it('sends nothing once it has given up: a code is spent or a token renewed by who is told so', async () => {
    const connect: (() => void)[] = [];
    const slow: Resolver = (_hostname, _options, done) => {
      connect.push(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
    };
    const waiting = createEgress({ connectTimeoutMs: 5_000, policy: POLICY, resolve: slow });
    const { port } = new URL(origin);
    const target = { origin: `http://slow.example:${port}`, allowPrivate: true };
    await expect(fetchSmall(waiting.connections(target), { ...CALL, deadlineMs: 30 })).rejects.toBeInstanceOf(
      GaveUp,
    );
    // Whatever would have been sent first is there before the next call's is.
    const next = fetchSmall(waiting.connections(target), { ...CALL, path: '/next' });
    await eventually('both connections wait for their address', () => connect.length === 2);
    for (const go of connect) go();
    expect((await next).status).toBe(200);
    expect(requests.map(({ url }) => url)).toEqual(['/next']);
    await waiting.destroy();
  });

  it('fails with the network’s own error, and with the guard’s', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(fetched()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    const resolve: Resolver = (_hostname, _options, done) => done(null, [{ address: '10.0.0.1', family: 4 }]);
    const guarded = createEgress({ connectTimeoutMs: 2_000, policy: POLICY, resolve });
    const target = { origin: 'http://upstream.example', allowPrivate: false };
    await expect(fetchSmall(guarded.connections(target), CALL)).rejects.toMatchObject({
      code: 'egress_blocked',
    });
    await guarded.destroy();
  });
});

describe('jsonOf', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['[1]', [1]],
    ['null', null],
    ['', null],
    ['<html>', null],
    ['{"a":', null],
  ])('%s', (text, value) => expect(jsonOf({ status: 200, body: Buffer.from(text) })).toEqual(value));
});

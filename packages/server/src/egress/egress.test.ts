import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress, type EgressOptions } from './egress.ts';
import { createEgressPolicy, type EgressPolicy } from './egress-policy.ts';

const OPEN = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function egressOf(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ connectTimeoutMs: 2_000, policy: OPEN, ...options });
  closing.push(() => egress.destroy());
  return egress;
}

interface Upstream {
  port: number;
  /** Requests that arrived, and connections that were opened. */
  requests: string[];
  connections: () => number;
  /** Those of them that are open. */
  open: () => number;
}

async function upstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    void response.end('{}'),
): Promise<Upstream> {
  const requests: string[] = [];
  let connections = 0;
  let open = 0;
  const server: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    open: () => open,
  };
}

interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
}

/** The two ways to a target: undici's for the small users, our own client for the traffic. */
const WAYS = ['connections', 'upstream'] as const;
let way: (typeof WAYS)[number] = 'connections';

function headersOf(raw: readonly (Buffer | string)[]): Answered['headers'] {
  const headers: Answered['headers'] = {};
  for (let i = 0; i < raw.length; i += 2) headers[String(raw[i]).toLowerCase()] = String(raw[i + 1]);
  return headers;
}

/** The head of the answer, or the code of what went wrong. */
function ask(egress: Egress, origin: string, allowPrivate = true, path = '/'): Promise<Answered | string> {
  return new Promise((resolve) => {
    let head: Answered = { status: 0, headers: {} };
    const failed = (error: unknown): void => resolve(String((error as { code?: unknown }).code));
    const handler = {
      onRequestQueued() {},
      onRequestStart() {},
      onResponseStart(controller: { rawHeaders?: unknown }, status: number) {
        head = { status, headers: headersOf(controller.rawHeaders as (Buffer | string)[]) };
      },
      onResponseData() {},
      onResponseEnd: () => resolve(head),
      onResponseError: (_controller: unknown, error: Error) => failed(error),
    };
    const request = { path, method: 'GET', headers: [], body: null } as const;
    const target = { origin, allowPrivate };
    if (way === 'connections') egress.connections(target).dispatch({ ...request, headers: [] }, handler);
    else egress.upstream(target).send({ ...request, headTimeoutMs: 5_000, bodyTimeoutMs: 5_000 }, handler);
  });
}

const statusOf = (answer: Answered | string): number | string =>
  typeof answer === 'string' ? answer : answer.status;
const names = (address: string): EgressOptions['resolve'] => {
  const family = address.includes(':') ? 6 : 4;
  return (_hostname, _options, done) => done(null, [{ address, family }]);
};

describe.each(WAYS)('%s (TW-17)', (each) => {
  beforeEach(() => {
    way = each;
  });

  it('never follow a redirect: neither to another host nor to another path', async () => {
    const other = await upstream();
    const { port, requests } = await upstream((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${other.port}/elsewhere` }).end(),
    );
    const answer = await ask(egressOf(), `http://127.0.0.1:${port}`);
    expect(statusOf(answer)).toBe(302);
    expect([requests, other.requests]).toEqual([['GET /'], []]);
  });

  it('go to the address that was judged, under the name that was asked for', async () => {
    let host: string | undefined;
    const { port } = await upstream((request, response) => {
      host = request.headers.host;
      response.end('{}');
    });
    const egress = egressOf({ resolve: names('127.0.0.1') });
    expect(statusOf(await ask(egress, `http://upstream.example:${port}`))).toBe(200);
    expect(host).toBe(`upstream.example:${port}`);
  });

  it('are refused when the name leads to this machine, and nothing is opened', async () => {
    const { port, connections } = await upstream();
    const egress = egressOf({ resolve: names('127.0.0.1') });
    expect(await ask(egress, `http://upstream.example:${port}`, false)).toBe('egress_blocked');
    expect(connections()).toBe(0);
  });

  it('are judged again by the address they were made to, before a byte is sent', async () => {
    const { port, requests, connections, open } = await upstream();
    // The look-up let it pass; whatever the reason, the connection itself is what counts.
    let asked = 0;
    const wavering: EgressPolicy = { ...OPEN, permitsHost: () => true, permitsAddress: () => asked++ === 0 };
    const egress = egressOf({ policy: wavering, resolve: names('127.0.0.1') });
    expect(await ask(egress, `http://upstream.example:${port}`)).toBe('egress_blocked');
    await eventually('the connection was opened, and closed', () => connections() === 1 && open() === 0);
    expect([requests, asked]).toEqual([[], 2]);
  });

  it('are judged even where the address is written out and never looked up', async () => {
    const { port, requests } = await upstream();
    const careless: EgressPolicy = { ...OPEN, permitsHost: () => true };
    const egress = egressOf({ policy: careless });
    expect(await ask(egress, `http://127.0.0.1:${port}`, false)).toBe('egress_blocked');
    expect(requests).toEqual([]);
  });

  it('belong to the permission they were opened with', async () => {
    const { port, requests } = await upstream();
    const egress = egressOf({ resolve: names('127.0.0.1') });
    const origin = `http://upstream.example:${port}`;
    expect(statusOf(await ask(egress, origin, true))).toBe(200);
    expect(await ask(egress, origin, false)).toBe('egress_blocked');
    expect(requests).toHaveLength(1);
  });

  it('are kept open and shared by equal targets alone', async () => {
    const { port, connections } = await upstream();
    const egress = egressOf();
    const target = { origin: `http://127.0.0.1:${port}`, allowPrivate: true };
    expect(egress[way](target)).toBe(egress[way]({ ...target, pinSha256: [] }));
    expect(egress[way](target)).not.toBe(egress[way]({ ...target, pinSha256: ['pin'] }));
    expect(egress[way]({ ...target, pinSha256: ['a', 'b'] })).not.toBe(
      egress[way]({ ...target, pinSha256: ['b', 'a'] }),
    );
    await ask(egress, target.origin);
    await new Promise(setImmediate); // the first one is given back once its end was handed on
    await ask(egress, target.origin);
    expect(connections()).toBe(1);
  });

  it('are not queued behind one another', async () => {
    const waiting: ServerResponse[] = [];
    const { port } = await upstream((_request, response) => void waiting.push(response));
    const egress = egressOf();
    const answers = Array.from({ length: 60 }, () => ask(egress, `http://127.0.0.1:${port}`));
    await eventually('all are under way', () => waiting.length === 60);
    for (const response of waiting) response.end('{}');
    expect(new Set((await Promise.all(answers)).map(statusOf))).toEqual(new Set([200]));
  });

  it('are for HTTP/1.1 with a bounded head', async () => {
    const { port } = await upstream((_request, response) => {
      for (let i = 0; i < 10; i++) response.setHeader(`x-${i}`, 'a'.repeat(8_000));
      response.end('{}');
    });
    expect(await ask(egressOf(), `http://127.0.0.1:${port}`)).toBe(
      way === 'connections' ? 'UND_ERR_HEADERS_OVERFLOW' : 'HTTP_HEAD_TOO_LARGE',
    );
  });

  it('give up on an address that does not answer', async () => {
    const egress = egressOf({
      connectTimeoutMs: 50,
      resolve: (_hostname, _options, _done) => undefined, // a resolver that never comes back
    });
    expect(await ask(egress, 'http://upstream.example')).toBe('UND_ERR_CONNECT_TIMEOUT');
  });

  it('stay bounded in number: of more than 512 targets the oldest goes', async () => {
    const egress = egressOf();
    const target = (n: number) => ({ origin: `http://u${n}.example`, allowPrivate: false });
    const [first, second] = [egress[way](target(0)), egress[way](target(1))];
    for (let n = 2; n < 513; n++) egress[way](target(n));
    expect(egress[way](target(1))).toBe(second);
    const again = egress[way](target(0));
    expect(again).not.toBe(first);
    expect(egress[way](target(0))).toBe(again);
  });

  it.each([
    'ftp://example.com',
    'not a url',
    'unix:///run/docker.sock',
    'http://example.com/v1',
    'http://example.com/?x',
  ])('%s is no place to go', (origin) => {
    expect(() => egressOf()[way]({ origin, allowPrivate: true })).toThrow();
  });
});

describe('plain connections (TW-17)', () => {
  async function listener(): Promise<{ server: TcpServer; port: number; seen: () => number }> {
    let seen = 0;
    const server = createTcpServer((socket) => {
      seen += 1;
      socket.on('error', () => undefined);
      socket.end('hello');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    return { server, port: (server.address() as AddressInfo).port, seen: () => seen };
  }

  it('lead where they were permitted to', async () => {
    const { port } = await listener();
    for (const hostname of ['127.0.0.1', '2130706433', '0x7f.1']) {
      const socket = await egressOf().connect({ hostname, port, allowPrivate: true });
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toBe('hello');
      socket.destroy();
    }
  });

  it('are refused as they are written, by what they resolve to, and by what they reach', async () => {
    const { port, seen } = await listener();
    for (const hostname of ['127.0.0.1', '2130706433', '0x7f.1', 'localhost', 'localhost.', '[::1]', '::1'])
      expect(() => egressOf().connect({ hostname, port, allowPrivate: false })).toThrow(/not a public one/);
    const resolving = egressOf({ resolve: names('127.0.0.1') });
    await expect(
      resolving.connect({ hostname: 'mail.example', port, allowPrivate: false }),
    ).rejects.toMatchObject({ code: 'egress_blocked' });
    const careless = egressOf({ policy: { ...OPEN, permitsHost: () => true } });
    await expect(
      careless.connect({ hostname: '127.0.0.1', port, allowPrivate: false }),
    ).rejects.toMatchObject({ code: 'egress_blocked' });
    await eventually('it was opened', () => seen() === 1); // the last one was opened, and closed at once
  });

  it('cannot be given another port or host inside the name', async () => {
    const { port, seen } = await listener();
    const egress = egressOf({ resolve: names('8.8.8.8'), connectTimeoutMs: 50 });
    for (const hostname of [`127.0.0.1:${port}`, `user@127.0.0.1`, `127.0.0.1/x`, `127.0.0.1#mail.example`])
      expect(() => egress.connect({ hostname, port, allowPrivate: false })).toThrow();
    expect(seen()).toBe(0);
  });

  it('fail with the network’s own error', async () => {
    const { server, port } = await listener();
    await new Promise((done) => server.close(done));
    await expect(
      egressOf().connect({ hostname: '127.0.0.1', port, allowPrivate: true }),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe.each(WAYS)('the end of %s', (each) => {
  beforeEach(() => {
    way = each;
  });

  it('close waits for what is under way', async () => {
    let finish: () => void = () => undefined;
    const { port, requests } = await upstream((_request, response) => {
      finish = () => response.end('{}');
    });
    const egress = egressOf();
    const answer = ask(egress, `http://127.0.0.1:${port}`);
    await eventually('the request arrived', () => requests.length === 1);
    const closed = egress.close();
    finish();
    expect(statusOf(await answer)).toBe(200);
    await closed;
  });

  it('destroy does not', async () => {
    const { port, requests } = await upstream(() => undefined);
    const egress = egressOf();
    const answer = ask(egress, `http://127.0.0.1:${port}`);
    await eventually('the request arrived', () => requests.length === 1);
    await egress.destroy();
    expect(await answer).toBe(way === 'connections' ? 'UND_ERR_DESTROYED' : 'HTTP_POOL_CLOSED');
  });
});

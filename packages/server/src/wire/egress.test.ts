import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { Resolver as DnsResolver } from 'node:dns';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { PRIVATE_HOSTS, TRICK_URLS, UNPARSABLE_HOSTS } from '@tallygate/testkit/private-spellings';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEgress, type Egress, type EgressTarget } from '../egress/egress.ts';
import { createEgressPolicy, type PrivateUpstreams } from '../egress/egress-policy.ts';
import type { Resolver } from '../egress/guarded-lookup.ts';
import { AccountStates } from '../pool/account-state.ts';
import { compileModelPatterns, type PoolAccount } from '../pool/pool.ts';
import { UpstreamStates } from '../pool/upstream-state.ts';
import { ADAPTERS } from './adapters.ts';
import { splitBaseUrl } from './build-account.ts';
import { testAccount } from './test-account.ts';

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function egressWith(options: {
  privateUpstreams?: PrivateUpstreams;
  allowed?: string[];
  resolve?: Resolver;
}): Egress {
  const { privateUpstreams = 'accounts', allowed = [], resolve } = options;
  const egress = createEgress({
    connectTimeoutMs: 2_000,
    policy: createEgressPolicy({ privateUpstreams, allowed }),
    ...(resolve === undefined ? {} : { resolve }),
  });
  closers.push(() => egress.destroy());
  return egress;
}

/** A request through the guard: its status, or what stopped it. */
function attempt(egress: Egress, target: EgressTarget): Promise<{ status: number } | { error: unknown }> {
  return new Promise((resolve) => {
    let status = 0;
    try {
      egress.connections(target).dispatch(
        { path: '/', method: 'GET', headersTimeout: 5_000, bodyTimeout: 5_000 },
        {
          onRequestStart() {},
          onResponseStart: (_controller, code) => {
            status = code;
          },
          onResponseData() {},
          onResponseEnd: () => resolve({ status }),
          onResponseError: (_controller, error) => resolve({ error }),
        },
      );
    } catch (error) {
      resolve({ error });
    }
  });
}

async function listen(
  handler: Parameters<typeof createServer>[1],
  host = '127.0.0.1',
  port = 0,
): Promise<Server> {
  const server = createServer(handler);
  server.listen(port, host);
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function accountAt(baseUrl: string, allowPrivate: boolean): PoolAccount {
  const adapter = ADAPTERS.find(({ id }) => id === 'openai');
  if (!adapter) throw new Error('no adapter');
  const { origin, basePath } = splitBaseUrl(baseUrl);
  return {
    id: 'a',
    workspaceId: 'w',
    preset: null,
    name: 'a',
    adapter,
    priceProvider: null,
    target: { origin, allowPrivate },
    basePath,
    baseQuery: '',
    credentialHeaders: ['authorization', 'Bearer sk-upstream'],
    authorizer: null,
    flavors: new Set(),
    models: compileModelPatterns([]),
    modelNames: [],
    priority: 1,
    share: 1,
    boundTo: [],
    paused: false,
    createdAtMs: 0,
    state: new AccountStates().of('a'),
    upstream: new UpstreamStates().of(origin),
  };
}
const testAt = (egress: Egress, baseUrl: string, options: { deadlineMs?: number } = {}) =>
  testAccount(accountAt(baseUrl, true), {
    egress,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    ...options,
  });

describe('every spelling of an address that is not public (TW-17)', () => {
  let world: AdminWorld;
  beforeAll(async () => {
    world = await startAdminWorld(await openTestStore());
  });
  afterAll(() => world.close());

  const create = async (baseUrl: string) => {
    const body = { provider: 'openai', name: 'x', apiKey: 'sk-0123456789', baseUrl };
    const answer = await world.call('/api/accounts', { local: true, method: 'POST', body });
    return [answer.status, answer.json.error?.details?.[0]?.path];
  };

  it('is a table of more than two hundred', () => {
    expect(PRIVATE_HOSTS.length + TRICK_URLS.length + UNPARSABLE_HOSTS.length).toBeGreaterThan(220);
  });

  it.each(PRIVATE_HOSTS)(
    'refuses https://%s when the account is made, tested and connected',
    async (host) => {
      const baseUrl = `https://${host}/v1`;
      expect(await create(baseUrl)).toEqual([400, 'baseUrl']);
      expect(await create(`https://${host}:8443`)).toEqual([400, 'baseUrl']);
      const asked: string[] = [];
      const egress = egressWith({
        resolve: (name, _options, done) => {
          asked.push(name);
          done(null, [{ address: '127.0.0.1', family: 4 }]);
        },
      });
      const { origin } = new URL(baseUrl);
      expect(await attempt(egress, { origin, allowPrivate: false })).toMatchObject({
        error: { code: 'egress_blocked' },
      });
      const account = { ...accountAt(baseUrl, false) };
      const tested = await testAccount(account, {
        egress,
        nowMs: Date.now,
        monotonicMs: () => performance.now(),
      });
      expect(tested).toMatchObject({
        ok: false,
        httpStatus: null,
        message: expect.stringContaining('not a public one'),
      });
      expect(asked).toEqual([]);
    },
  );

  it.each(TRICK_URLS)('is not fooled by %j', async (baseUrl) => {
    expect(await create(baseUrl)).toEqual([400, 'baseUrl']);
  });

  it.each(UNPARSABLE_HOSTS)('takes https://%s for no address at all', async (host) => {
    expect(URL.canParse(`https://${host}`)).toBe(false);
    expect(await create(`https://${host}`)).toEqual([400, 'baseUrl']);
  });

  it.each([
    'https://api.openai.com',
    'https://1.1.1.1',
    'https://[2606:4700::1111]',
    'https://api.openai.com.',
  ])('still takes %s', async (baseUrl) => {
    const body = { provider: 'openai', name: baseUrl, apiKey: 'sk-0123456789', baseUrl };
    expect((await world.call('/api/accounts', { local: true, method: 'POST', body })).status).toBe(201);
  });
});

describe('who may permit a private upstream (TW-17)', () => {
  const to = (hostname: string, port: number, allowPrivate: boolean) => ({ hostname, port, allowPrivate });
  const policy = (privateUpstreams: PrivateUpstreams, ...allowed: string[]) =>
    createEgressPolicy({ privateUpstreams, allowed });

  it('heeds the permission of an account unless the operator keeps that for the list', () => {
    const gpu = to('10.0.0.5', 8000, true);
    expect(policy('accounts').permitsHost(gpu)).toBe(true);
    expect(policy('listed').permitsHost(gpu)).toBe(false);
    expect(policy('never').permitsHost(gpu)).toBe(false);
    expect(policy('listed', '10.0.0.0/8').permitsHost({ ...gpu, allowPrivate: false })).toBe(true);
    expect(policy('listed', '10.0.0.5:8000').permitsHost({ ...gpu, allowPrivate: false })).toBe(true);
    expect(policy('listed', '10.0.0.5:8001').permitsHost({ ...gpu, allowPrivate: false })).toBe(false);
    expect(policy('listed', '[::1]:11434').permitsHost(to('[::1]', 11_434, false))).toBe(true);
  });

  it('permits a listed name on its port alone, and only into private ranges', () => {
    const listed = policy('listed', 'GPU.internal:8000');
    expect(listed.permitsHost(to('gpu.internal.', 8000, false))).toBe(true);
    expect(listed.permitsAddress('10.0.0.5', to('gpu.internal', 8000, false))).toBe(true);
    expect(listed.permitsAddress('10.0.0.5', to('gpu.internal', 22, false))).toBe(false);
    expect(listed.permitsAddress('169.254.169.254', to('gpu.internal', 8000, false))).toBe(false);
    expect(listed.permitsAddress('10.0.0.5', to('other.internal', 8000, true))).toBe(false);
  });

  it.each([
    '169.254.169.254',
    '100.100.100.200',
    'fd00:ec2::254',
    'fe80::1',
    '224.0.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '192.0.2.1',
  ])('permits %s to no account, whatever it says', (address) => {
    const hostname = address.includes(':') ? `[${address}]` : address;
    expect(policy('accounts').permitsHost(to(hostname, 80, true))).toBe(false);
    expect(policy('accounts').permitsAddress(address, to('x.example', 80, true))).toBe(false);
  });

  it('refuses a listed-only destination when an account is made, and takes a listed one over plain http', async () => {
    const world = await startAdminWorld(await openTestStore(), {
      egressPolicy: policy('listed', 'gpu.internal:8000', '10.9.0.0/16'),
    });
    closers.push(() => world.close());
    const create = async (baseUrl: string, allowPrivateUpstream: boolean) => {
      const body = { provider: 'compatible', name: baseUrl, apiKey: 'k', baseUrl, allowPrivateUpstream };
      return (await world.call('/api/accounts', { local: true, method: 'POST', body })).status;
    };
    expect(await create('http://127.0.0.1:11434', true)).toBe(400);
    expect(await create('http://gpu.internal:8000', false)).toBe(201);
    expect(await create('http://gpu.internal:9000', true)).toBe(400);
    expect(await create('http://10.9.1.1', false)).toBe(201);
  });
});

/** Answers A questions with one address after the other, as a rebinding name server does (RFC 1035 §4). */
async function rebindingDns(addresses: string[]): Promise<{ resolve: Resolver; questions(): number }> {
  const socket: UdpSocket = createSocket('udp4');
  let questions = 0;
  socket.on('message', (query, from) => {
    const address = addresses[Math.min(questions, addresses.length - 1)] ?? '';
    questions += 1;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const head = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
    socket.send(Buffer.concat([head, question, record]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closers.push(() => socket.close());
  const dns = new DnsResolver({ timeout: 2_000, tries: 1 });
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    questions: () => questions,
    resolve: (name, _options, done) =>
      dns.resolve4(name, (error, found) =>
        done(
          error,
          (found ?? []).map((address) => ({ address, family: 4 })),
        ),
      ),
  };
}

describe('a name server that changes its answer (TW-17)', () => {
  it('connects to the address it judged, asks once for it, and judges the next answer again', async () => {
    let forbiddenReached = 0;
    const good = await listen(
      (_request, response) => response.writeHead(204, { connection: 'close' }).end(),
      '127.0.0.2',
    );
    const bad = await listen(undefined, '127.0.0.1', portOf(good));
    bad.on('connection', () => {
      forbiddenReached += 1;
    });
    const dns = await rebindingDns(['127.0.0.2', '127.0.0.1']);
    const egress = egressWith({ privateUpstreams: 'listed', allowed: ['127.0.0.2'], resolve: dns.resolve });
    const target = { origin: `http://rebind.example:${portOf(good)}`, allowPrivate: true };
    expect(await attempt(egress, target)).toEqual({ status: 204 });
    expect(dns.questions()).toBe(1);
    expect(await attempt(egress, target)).toMatchObject({ error: { code: 'egress_blocked' } });
    expect([dns.questions(), forbiddenReached]).toEqual([2, 0]);
  });

  it('judges the address it is connected to once more, before anything is sent', async () => {
    let requests = 0;
    const server = await listen((_request, response) => {
      requests += 1;
      response.end();
    });
    let judged = 0;
    const egress = createEgress({
      connectTimeoutMs: 2_000,
      policy: {
        mayBePrivate: () => true,
        permitsHost: () => true,
        permitsAddress: () => ++judged === 1, // the look-up passes, what follows does not
      },
      resolve: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    closers.push(() => egress.destroy());
    const blocked = await attempt(egress, {
      origin: `http://twice.example:${portOf(server)}`,
      allowPrivate: true,
    });
    expect(blocked).toMatchObject({ error: { code: 'egress_blocked' } });
    expect([judged, requests]).toEqual([2, 0]);
  });

  it('refuses a name when one of several addresses is not permitted', async () => {
    const egress = egressWith({
      resolve: (_name, _options, done) =>
        done(null, [
          { address: '8.8.8.8', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    const blocked = await attempt(egress, { origin: 'https://mixed.example', allowPrivate: false });
    expect(blocked).toMatchObject({ error: { code: 'egress_blocked' } });
  });
});

describe('the account test (TW-17)', () => {
  it('follows no redirect, wherever it leads', async () => {
    const seen: string[] = [];
    const server = await listen((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const answer = await testAt(egressWith({}), `http://127.0.0.1:${portOf(server)}`);
    expect(answer).toMatchObject({
      ok: false,
      httpStatus: 302,
      message: expect.stringContaining('redirect'),
    });
    expect(seen).toEqual(['/v1/models']);
  });

  it('gives up on an answer that trickles for ever, and on one that is too large', async () => {
    const trickling = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const slow = await testAt(egressWith({}), `http://127.0.0.1:${portOf(trickling)}`, { deadlineMs: 300 });
    expect(slow).toMatchObject({ ok: false, message: expect.stringContaining('in time') });
    let sent = 0;
    const endless = await listen((_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, 0x20);
      const more = (): void => {
        sent += chunk.length;
        if (!response.destroyed && response.write(chunk)) setImmediate(more);
      };
      response.on('drain', more);
      more();
    });
    const large = await testAt(egressWith({}), `http://127.0.0.1:${portOf(endless)}`);
    expect(large).toMatchObject({ ok: false, message: expect.stringContaining('larger than') });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('survives a model list that is nested, huge or none', async () => {
    const bodies = [
      `{"data":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      '{"data":{"__proto__":1}}',
      'not json',
      '{"data":[{"id":1e999},null,7]}',
    ];
    for (const body of bodies) {
      const server = await listen((_request, response) => response.end(body));
      const answer = await testAt(egressWith({}), `http://127.0.0.1:${portOf(server)}`);
      expect(answer).toMatchObject({ ok: true, models: [] });
    }
  });
});

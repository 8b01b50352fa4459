import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createAddressSet } from '../kernel/address-set.ts';
import type { ProxyTrust } from './client-view.ts';
import { createCors } from './cors.ts';
import { parseForwarded, parseXForwarded } from './forwarded.ts';
import { createFrontDoor } from './front-door.ts';
import { createHttpServer } from './listener.ts';
import { type ClientView, clientOf } from './request-marks.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Headers = [string, string][];

/** What the front door makes of a request that a proxy on 127.0.0.1 sends. */
async function door(options: { trusted?: string[]; headers?: ProxyTrust['headers']; allowed?: string[] }) {
  const { trusted = [], headers = 'x-forwarded', allowed = [] } = options;
  server = createHttpServer(
    createFrontDoor({
      next: (request, response) => response.end(JSON.stringify(clientOf(request))),
      refuse: (_request, response, error) =>
        response.writeHead(error.status).end(JSON.stringify({ code: error.code })),
      trust: { proxies: createAddressSet(trusted), headers },
      allowedClients: createAddressSet(allowed),
      cors: createCors([]),
      isDataPath: () => true,
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return async (sent: Headers): Promise<ClientView & { code?: string }> =>
    (
      await rawCall(port, requestBytes({ method: 'GET', path: '/', headers: sent })).answer
    ).json() as ClientView;
}
const xff = (value: string): Headers => [['x-forwarded-for', value]];

describe('trusted proxies (CF-13, TW-04)', () => {
  it('believes nobody unless told to', async () => {
    const ask = await door({});
    const headers: Headers = [
      ...xff('203.0.113.9'),
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'evil.example'],
      ['forwarded', 'for=203.0.113.9;proto=https;host=evil.example'],
    ];
    expect(await ask(headers)).toEqual({
      address: '127.0.0.1',
      secure: false,
      proxied: false,
      host: '127.0.0.1',
    });
  });

  it.each([
    ['the one address there is', '203.0.113.9', '203.0.113.9'],
    [
      'the rightmost that is no proxy: the left is the client’s own invention',
      '1.1.1.1, 203.0.113.9',
      '203.0.113.9',
    ],
    ['past several proxies', '1.1.1.1, 203.0.113.9, 10.0.0.2, 10.0.0.3', '203.0.113.9'],
    ['the leftmost when all are proxies', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['with a port', '203.0.113.9:4711', '203.0.113.9'],
    ['IPv6, with and without brackets', '[2001:db8::9]:4711', '2001:db8::9'],
    ['IPv6 bare', '2001:db8::9', '2001:db8::9'],
    ['IPv4 in the clothes of IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the proxy itself when it names nobody', 'unknown', '127.0.0.1'],
    ['the last one known before nonsense', '203.0.113.9, nonsense, 10.0.0.2', '10.0.0.2'],
    ['nobody through an empty entry', '203.0.113.9,', '127.0.0.1'],
    ['no zone ids', 'fe80::1%eth0', '127.0.0.1'],
  ])('takes for the client %s', async (_what, header, client) => {
    const ask = await door({ trusted: ['127.0.0.1', '10.0.0.0/8'] });
    expect((await ask(xff(header))).address).toBe(client);
    const halves = header.split(/,(.*)/s);
    if (halves[1] !== undefined && halves[1] !== '') {
      expect((await ask([...xff(halves[0] ?? ''), ...xff(halves[1])])).address).toBe(client);
    }
  });

  it('takes protocol and host from the nearest proxy, and only words that can be meant', async () => {
    const ask = await door({ trusted: ['127.0.0.1'] });
    const from = (proto: string, host: string) =>
      ask([...xff('203.0.113.9'), ['x-forwarded-proto', proto], ['x-forwarded-host', host]]);
    expect(await from('https', 'gate.example')).toMatchObject({
      secure: true,
      proxied: true,
      host: 'gate.example',
    });
    expect(await from('https, http', 'evil.example, gate.example')).toMatchObject({
      secure: false,
      host: 'gate.example',
    });
    expect(await from('HTTPS', 'gate.example')).toMatchObject({ secure: true });
    expect(await from('wss', 'gate.example')).toMatchObject({ secure: false, proxied: false });
  });

  it('reads Forwarded instead when told so, and never both', async () => {
    const ask = await door({ trusted: ['127.0.0.1', '2001:db8:f::/48'], headers: 'forwarded' });
    const forwarded =
      'for=1.1.1.1;host=evil.example, For="[2001:db8::9]:4711" ;Proto=https;host="gate.example:8443", for="[2001:db8:f::1]";proto=http';
    expect(await ask([['forwarded', forwarded], ...xff('9.9.9.9')])).toEqual({
      address: '2001:db8::9',
      secure: true,
      proxied: true,
      host: 'gate.example:8443',
    });
    expect((await ask(xff('9.9.9.9'))).address).toBe('127.0.0.1');
    const other = await door({ trusted: ['127.0.0.1'] });
    expect((await other([['forwarded', 'for=9.9.9.9']])).address).toBe('127.0.0.1');
  });

  it.each([
    'for=9.9.9.9;',
    'for=9.9.9.9;proto="https',
    'for 9.9.9.9',
    '=',
    'for=9.9.9.9,,',
    'for=_hidden',
    'for=unknown',
  ])('takes nothing from the malformed or hidden %j', (header) =>
    expect(parseForwarded(header).every((hop) => hop.address === null)).toBe(true),
  );

  it('never throws on what a client may send, and never makes up an address', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        for (const hop of [
          ...parseForwarded(text),
          ...parseXForwarded({ for: text, proto: text, host: text }),
        ]) {
          if (hop.address !== null) expect(hop.address).toMatch(/^[\da-f.:]+$/i);
        }
      }),
    );
  });
});

describe('the addresses that may come in (CF-13)', () => {
  it('refuses others, judged by the client behind a trusted proxy', async () => {
    const ask = await door({ trusted: ['127.0.0.1'], allowed: ['203.0.113.0/24'] });
    expect((await ask(xff('203.0.113.9'))).address).toBe('203.0.113.9');
    expect((await ask(xff('198.51.100.1'))).code).toBe('client_not_allowed');
    expect((await ask(xff('203.0.113.9, 198.51.100.1'))).code).toBe('client_not_allowed');
    expect((await ask([])).code).toBe('client_not_allowed');
  });

  it('cannot be talked round without a trusted proxy', async () => {
    const ask = await door({ allowed: ['203.0.113.0/24'] });
    expect((await ask(xff('203.0.113.9'))).code).toBe('client_not_allowed');
  });
});

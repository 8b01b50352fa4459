import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { selfSigned, type TestCertificate } from '@tallygate/testkit/self-signed';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress } from './egress.ts';
import { createEgressPolicy } from './egress-policy.ts';

const standard = getCACertificates('default');
let egress: Egress;
const servers: Server[] = [];
let requests = 0;
beforeEach(() => {
  requests = 0;
  egress = createEgress({
    connectTimeoutMs: 2_000,
    policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
  });
});
afterEach(async () => {
  setDefaultCACertificates(standard);
  await egress.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An https upstream whose certificate this process trusts, unless told otherwise. */
async function serve(certificate: TestCertificate, trusted = true): Promise<string> {
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (_request, response) => {
    requests += 1;
    response.end('{}');
  });
  servers.push(server);
  if (trusted) setDefaultCACertificates([...standard, certificate.cert]);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The two ways to a target: undici's for the small users, our own client for the traffic. */
const WAYS = ['connections', 'upstream'] as const;
let way: (typeof WAYS)[number] = 'connections';

/** The status, or the code of what stopped the request. */
function attempt(origin: string, pinSha256: string[]): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0;
    const handler = {
      onRequestQueued() {},
      onRequestStart() {},
      onResponseStart(_controller: unknown, code: number) {
        status = code;
      },
      onResponseData() {},
      onResponseEnd: () => resolve(status),
      onResponseError: (_controller: unknown, error: Error) =>
        resolve(String((error as { code?: unknown }).code)),
    };
    const target = { origin, allowPrivate: true, pinSha256 };
    const request = { path: '/', method: 'GET', body: null } as const;
    if (way === 'connections') egress.connections(target).dispatch(request, handler);
    else
      egress
        .upstream(target)
        .send({ ...request, headers: [], headTimeoutMs: 5_000, bodyTimeoutMs: 5_000 }, handler);
  });
}

describe.each(WAYS)('pinned upstream keys with %s (CF-13)', (each) => {
  beforeEach(() => {
    way = each;
  });

  it('connects when one of several pins is the key, and without any', async () => {
    const certificate = selfSigned();
    const origin = await serve(certificate);
    expect(await attempt(origin, [certificate.pin])).toBe(200);
    expect(await attempt(origin, [selfSigned().pin, certificate.pin])).toBe(200);
    expect(await attempt(origin, [])).toBe(200);
  });

  it('sends nothing to a trusted server with another key', async () => {
    const origin = await serve(selfSigned());
    expect(await attempt(origin, [selfSigned().pin])).toBe('upstream_pin_mismatch');
    expect(requests).toBe(0);
  });

  it('does not take over a connection that was opened without the pin', async () => {
    const origin = await serve(selfSigned());
    expect(await attempt(origin, [])).toBe(200);
    expect(await attempt(origin, [selfSigned().pin])).toBe('upstream_pin_mismatch');
    expect(requests).toBe(1);
  });

  it('does not stand in for a certificate that nobody vouches for', async () => {
    const certificate = selfSigned();
    const origin = await serve(certificate, false);
    expect(await attempt(origin, [certificate.pin])).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(requests).toBe(0);
  });
});

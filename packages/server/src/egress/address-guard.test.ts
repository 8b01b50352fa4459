import { describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { isPublicAddress } from './address-guard.ts';
import { createEgress } from './egress.ts';
import { createEgressPolicy } from './egress-policy.ts';
import { createGuardedLookup } from './guarded-lookup.ts';

const POLICY = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
const REFUSED = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.1.1.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd12::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'not an address',
  '',
];
const ALLOWED = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.255.255',
  '2606:4700::1111',
  '2a00:1450::200e',
];

describe('egress guard (TW-17)', () => {
  it.each(REFUSED)('refuses %s', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(ALLOWED)('allows %s', (address) => expect(isPublicAddress(address)).toBe(true));

  it('judges every address a name resolves to, and hands on the ones it judged', async () => {
    const resolving = (addresses: string[]) =>
      createGuardedLookup(
        (_name, _options, done) =>
          done(
            null,
            addresses.map((address) => ({ address, family: 4 })),
          ),
        isPublicAddress,
      );
    const look = (addresses: string[]) =>
      new Promise((resolve) =>
        resolving(addresses)('name.test', { all: true }, (error, found) => resolve(error ?? found)),
      );
    expect(await look(['8.8.8.8', '127.0.0.1'])).toMatchObject({ code: 'egress_blocked' });
    expect(await look(['8.8.8.8'])).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await look([])).toMatchObject({ code: 'upstream_connect_failed' });
  });

  it.each([
    'http://127.0.0.1',
    'http://[::1]:8080',
    'http://2130706433',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://[::ffff:127.0.0.1]',
  ])(
    'refuses the literal %s however it is spelt, unless the account allows private addresses',
    async (origin) => {
      const egress = createEgress({ connectTimeoutMs: 1_000, policy: POLICY });
      expect(() => egress.connections({ origin, allowPrivate: false })).toThrow(AppError);
      expect(() => egress.connections({ origin, allowPrivate: true })).not.toThrow();
      await egress.destroy();
    },
  );

  it('refuses a name that resolves to this machine before a connection is opened', async () => {
    const egress = createEgress({
      connectTimeoutMs: 1_000,
      policy: POLICY,
      resolve: (_n, _o, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const error = await new Promise((resolve) => {
      egress.connections({ origin: 'http://rebind.test', allowPrivate: false }).dispatch(
        { path: '/', method: 'GET' },
        {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd: () => resolve(null),
          onResponseError: (_c, thrown) => resolve(thrown),
        },
      );
    });
    expect(error).toMatchObject({ code: 'egress_blocked' });
    await egress.destroy();
  });
});

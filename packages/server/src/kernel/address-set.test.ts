import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressSet, parseNetwork, plainAddress } from './address-set.ts';

describe('addresses and networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.0.0.7', '10.0.0.7', '10.0.0.8'],
    ['2001:db8::/32', '2001:db8:1::1', '2001:db9::1'],
    ['::1', '0:0:0:0:0:0:0:1', '::2'],
    ['10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:11.1.2.3'],
    ['10.0.0.0/8', '::ffff:a01:203', '::ffff:b01:203'],
    ['10.0.0.0/8', '0:0:0:0:0:ffff:0a01:0203', '0:0:0:0:0:ffff:0b01:0203'],
    ['::ffff:10.0.0.1', '10.0.0.1', '10.0.0.2'],
    ['0.0.0.0/0', '1.2.3.4', '::1'],
    ['::/0', '::1', '1.2.3.4'],
  ])('%s holds %s and not %s', (network, inside, outside) => {
    const set = createAddressSet([network]);
    expect([set.has(inside), set.has(outside)]).toEqual([true, false]);
  });

  it.each([
    '',
    '10',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    '::/129',
    'fe80::1%eth0',
    'host',
    '0x7f.1',
    '010.0.0.1/8 ',
  ])('refuses %j as a network', (text) => expect(parseNetwork(text)).toBeNull());

  it('holds nothing that is not an address', () => {
    const all = createAddressSet(['0.0.0.0/0', '::/0']);
    for (const text of ['', 'localhost', '1.2.3', '1.2.3.4:80', '[::1]', 'fe80::1%1'])
      expect(all.has(text)).toBe(false);
    expect(createAddressSet([]).empty).toBe(true);
  });

  it('takes every spelling of a mapped address for the IPv4 address', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
        const dotted = [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
        const high = (bits >>> 16).toString(16);
        const low = (bits & 0xffff).toString(16);
        for (const spelling of [
          `::ffff:${dotted}`,
          `::FFFF:${high}:${low}`,
          `0:0:0:0:0:ffff:${high}:${low}`,
        ]) {
          expect(plainAddress(spelling)).toBe(dotted);
        }
      }),
    );
  });
});

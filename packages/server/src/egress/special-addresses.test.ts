import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPrivateAddress, isPublicAddress } from './address-guard.ts';

/**
 * First and last addresses, written out from the IANA registries and from what clouds document, not from the source:
 * a wrong prefix length shows as a difference between the two.
 */
const NOT_PUBLIC_IPV4: readonly [first: string, last: string][] = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['168.63.129.16', '168.63.129.16'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.31.196.0', '192.31.196.255'],
  ['192.52.193.0', '192.52.193.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['192.175.48.0', '192.175.48.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '255.255.255.255'],
];
const PRIVATE_IPV4: readonly [first: string, last: string][] = [
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.100.100.199'],
  ['100.100.100.201', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.168.0.0', '192.168.255.255'],
];
/** Within `2000::/3`, the one part of IPv6 that is global unicast. */
const NOT_PUBLIC_IPV6: readonly [first: string, last: string][] = [
  ['2001:0:0:0:0:0:0:0', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2001:db8:0:0:0:0:0:0', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2002:0:0:0:0:0:0:0', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2620:4f:8000:0:0:0:0:0', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff'],
  ['3fff:0:0:0:0:0:0:0', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

const number4 = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const text4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
const number6 = (text: string): bigint =>
  text.split(':').reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
const text6 = (value: bigint): string =>
  Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(
    ':',
  );

const within4 = (ranges: readonly [string, string][], value: number): boolean =>
  ranges.some(([first, last]) => value >= number4(first) && value <= number4(last));
const isGlobal6 = (value: bigint): boolean =>
  value >> 125n === 1n &&
  !NOT_PUBLIC_IPV6.some(([first, last]) => value >= number6(first) && value <= number6(last));

/** Both sides of every border, where a prefix that is one bit off goes wrong. */
const borders4 = [...NOT_PUBLIC_IPV4, ...PRIVATE_IPV4]
  .flatMap(([first, last]) => [number4(first) - 1, number4(first), number4(last), number4(last) + 1])
  .filter((value) => value >= 0 && value < 2 ** 32);
const borders6 = NOT_PUBLIC_IPV6.flatMap(([first, last]) => [
  number6(first) - 1n,
  number6(first),
  number6(last),
  number6(last) + 1n,
]);

describe('IPv4 addresses (TW-17)', () => {
  it('are public or not on both sides of every border', () => {
    for (const value of borders4) {
      const address = text4(value);
      expect([address, isPublicAddress(address)]).toEqual([address, !within4(NOT_PUBLIC_IPV4, value)]);
      expect([address, isPrivateAddress(address)]).toEqual([address, within4(PRIVATE_IPV4, value)]);
    }
  });

  it('are judged by their ranges, whichever they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        expect(isPublicAddress(text4(value))).toBe(!within4(NOT_PUBLIC_IPV4, value));
        expect(isPrivateAddress(text4(value))).toBe(within4(PRIVATE_IPV4, value));
      }),
      { numRuns: 500 },
    );
  });

  it('are never public inside IPv6, and private there only as what they are', () => {
    const inside = (value: number): string[] => {
      const [high, low] = [(value >>> 16).toString(16), (value & 0xffff).toString(16)];
      const dotted = text4(value);
      return [`::ffff:${dotted}`, `::ffff:${high}:${low}`, `::${dotted}`, `64:ff9b::${dotted}`];
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        for (const address of inside(value))
          expect([address, isPublicAddress(address)]).toEqual([address, false]);
        const [mapped = '', hexadecimal = '', , translated = ''] = inside(value);
        expect(isPrivateAddress(mapped)).toBe(within4(PRIVATE_IPV4, value));
        expect(isPrivateAddress(hexadecimal)).toBe(within4(PRIVATE_IPV4, value));
        expect(isPrivateAddress(translated)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('IPv6 addresses (TW-17)', () => {
  it('are public or not on both sides of every border', () => {
    const edges = [...borders6, 1n << 125n, (1n << 125n) - 1n, (1n << 126n) - 1n, 1n << 126n];
    for (const value of edges) {
      const address = text6(value);
      expect([address, isPublicAddress(address)]).toEqual([address, isGlobal6(value)]);
    }
  });

  it('are judged by their ranges, whichever they are', () => {
    // Half of them in 2000::/3, the eighth of the space where the answer is not simply no.
    const anywhere = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
    const global = fc.bigInt({ min: 1n << 125n, max: (1n << 126n) - 1n });
    fc.assert(
      fc.property(fc.oneof(anywhere, global), (value) => {
        expect(isPublicAddress(text6(value))).toBe(isGlobal6(value));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['::1', true],
    ['::2', false],
    ['fc00::', true],
    ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['fbff:ffff::1', false],
    ['fe00::1', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['2a00:1450::1', false],
    // Where clouds hand out the machine's own credentials, in every spelling.
    ['fd00:ec2::254', false],
    ['fd00:0ec2:0:0:0:0:0:0254', false],
    ['FD00:EC2::254', false],
    ['fd00:ec2::255', true],
    ['fd20:ce::254', false],
    ['fd20:ce::253', true],
    ['fd12:3456::1%eth0', false],
    ['::1%lo', false],
  ])('%s is of one’s own network: %s', (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
    if (expected) expect(isPublicAddress(address)).toBe(false);
  });
});

describe('what is no address (TW-17)', () => {
  it.each([
    '',
    ' ',
    'localhost',
    '8.8.8',
    '8.8.8.8.',
    '08.8.8.8',
    '0x08.8.8.8',
    '134744072',
    '8.8.8.8/32',
    '8.8.8.8:53',
    ' 8.8.8.8',
    '8.8.8.8\n',
    '[2606:4700::1111]',
    '2606:4700::1111%0',
    '2606:4700:::1111',
    '1.1.1.1,127.0.0.1',
  ])('%j is neither public nor private', (text) => {
    expect([isPublicAddress(text), isPrivateAddress(text)]).toEqual([false, false]);
  });

  it('nor is any text that happens to come', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[\d.]+$|:/.test(text));
        expect([isPublicAddress(text), isPrivateAddress(text)]).toEqual([false, false]);
      }),
    );
  });
});

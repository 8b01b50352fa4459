import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertCallerAllowed, type Caller, compileCallerLimits } from './caller-limits.ts';

function allows(given: { addresses?: string[]; origins?: string[] }, caller: Partial<Caller>): boolean {
  const limits = compileCallerLimits({ addresses: [], origins: [], ...given });
  if (limits === null) return true;
  try {
    assertCallerAllowed(limits, { address: undefined, origin: undefined, ...caller });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'key_restricted', status: 403 });
    return false;
  }
}

describe('limits on addresses (CF-13)', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.70', false],
    ['2001:db8::/32', '2001:db8:1::9', true],
    ['2001:db8::/32', '2001:db9::9', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::1', '127.0.0.1', false],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '203.0.113.9', false],
  ])('%s, from %s: %s', (range, address, expected) => {
    expect(allows({ addresses: [range] }, { address })).toBe(expected);
  });

  it('refuses a connection whose address is not known', () => {
    expect(allows({ addresses: ['0.0.0.0/0', '::/0'] }, { address: undefined })).toBe(false);
    expect(allows({ addresses: ['0.0.0.0/0'] }, { address: '' })).toBe(false);
  });

  it('agrees with the arithmetic of the prefix for any IPv4 range', () => {
    const number = (text: string): number =>
      text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (network, address, bits) => {
        const size = 2 ** (32 - bits);
        const expected = Math.floor(number(network) / size) === Math.floor(number(address) / size);
        expect(allows({ addresses: [`${network}/${bits}`] }, { address })).toBe(expected);
      }),
    );
  });
});

describe('limits on origins (CF-13)', () => {
  it('takes exactly the named origins, and no request without one', () => {
    const origins = ['https://app.example.com'];
    expect(allows({ origins }, { origin: 'https://app.example.com' })).toBe(true);
    for (const origin of [
      undefined,
      'null',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.test',
      'https://evil.test/https://app.example.com',
    ]) {
      expect(allows({ origins }, { origin })).toBe(false);
    }
  });

  it('limits nothing when nothing is named', () => {
    expect(compileCallerLimits({ addresses: [], origins: [] })).toBeNull();
  });
});

import type { LookupAddress, LookupOptions } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { createGuardedLookup, type Resolver } from './guarded-lookup.ts';

interface Asked {
  hostname: string;
  options: { all: true; family?: number; hints?: number };
}

/** A lookup over fixed addresses, and what its resolver was asked. */
function lookupOf(
  addresses: LookupAddress[],
  options: { permits?: (address: string) => boolean; fails?: Error } = {},
) {
  const asked: Asked[] = [];
  const judged: string[] = [];
  const resolve: Resolver = (hostname, given, done) => {
    asked.push({ hostname, options: given });
    done((options.fails as NodeJS.ErrnoException) ?? null, options.fails ? [] : addresses);
  };
  const permits = (address: string): boolean => {
    judged.push(address);
    return options.permits?.(address) ?? true;
  };
  const lookup = createGuardedLookup(resolve, permits);
  const look = (given: LookupOptions): Promise<unknown[]> =>
    new Promise((done) => lookup('name.test', given, (...result) => done(result)));
  return { look, asked, judged };
}

const four = (address: string): LookupAddress => ({ address, family: 4 });
const six = (address: string): LookupAddress => ({ address, family: 6 });

describe('createGuardedLookup (TW-17)', () => {
  it('hands on all addresses, in their order, or the first one where one is asked for', async () => {
    const addresses = [six('2606:4700::1'), four('8.8.8.8')];
    expect(await lookupOf(addresses).look({ all: true })).toEqual([null, addresses]);
    expect(await lookupOf(addresses).look({})).toEqual([null, '2606:4700::1', 6]);
    expect(await lookupOf(addresses).look({ all: false })).toEqual([null, '2606:4700::1', 6]);
  });

  it.each([
    [0, ['8.8.8.8', '8.8.4.4', '1.1.1.1']],
    [1, ['8.8.8.8', '8.8.4.4', '1.1.1.1']],
    [2, ['8.8.8.8', '8.8.4.4', '1.1.1.1']],
  ])('refuses the name when address %i of it is refused, whichever is asked for', async (bad, all) => {
    const permits = (address: string): boolean => address !== all[bad];
    for (const options of [{ all: true }, {}] as const) {
      const [error, address] = await lookupOf(all.map(four), { permits }).look(options);
      expect(error).toMatchObject({ code: 'egress_blocked' });
      expect(address).toBe('');
    }
  });

  it.each([
    [4, 4],
    ['IPv4', 4],
    [6, 6],
    ['IPv6', 6],
    [0, 0],
    [undefined, 0],
  ] as const)('asks for family %s as %i, always for all', async (family, expected) => {
    const { look, asked } = lookupOf([four('8.8.8.8')]);
    await look(family === undefined ? {} : { family });
    expect(asked).toEqual([{ hostname: 'name.test', options: { all: true, family: expected } }]);
  });

  it('asks once: the address that was judged is the one that is connected to', async () => {
    const { look, asked, judged } = lookupOf([four('8.8.8.8'), four('8.8.4.4')]);
    await look({ all: true });
    expect(asked).toHaveLength(1);
    expect(judged).toEqual(['8.8.8.8', '8.8.4.4']);
  });

  it('passes the resolver’s own failure on, and calls nothing permitted then', async () => {
    const fails = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const { look, judged } = lookupOf([four('8.8.8.8')], { fails });
    expect(await look({ all: true })).toEqual([fails, '']);
    expect(judged).toEqual([]);
  });

  it('a name without an address is a failure and no permission', async () => {
    const [error, address] = await lookupOf([]).look({ all: true });
    expect(error).toMatchObject({ code: 'upstream_connect_failed' });
    expect(address).toBe('');
  });
});

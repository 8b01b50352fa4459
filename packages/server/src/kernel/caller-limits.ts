import { BlockList, isIP } from 'node:net';
import { AppError } from './errors.ts';

type Family = 'ipv4' | 'ipv6';

/** Where a credential may be used from, ready to be asked. */
export interface CallerLimits {
  /** Null allows every address. */
  addresses: Record<Family, BlockList> | null;
  /** Null allows every origin, and none. */
  origins: ReadonlySet<string> | null;
}

/** Who is calling, as the connection and the headers tell. */
export interface Caller {
  address: string | undefined;
  origin: string | undefined;
}

/** A listener for IPv6 shows IPv4 clients as `::ffff:1.2.3.4` (RFC 4291 §2.5.5.2), link-local ones with their zone. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

const familyOf = (address: string): Family => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** @throws Error when a text is neither an address nor a range: the contract let it through by mistake */
function compileAddresses(ranges: readonly string[]): Record<Family, BlockList> {
  // A list for each family: one list takes an IPv4 address for the IPv6 one it can be mapped to, so ::/0 would be all.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    const family = familyOf(network);
    if (bits === undefined) lists[family].addAddress(network, family);
    else lists[family].addSubnet(network, Number(bits), family);
  }
  return lists;
}

/** Null when nothing is limited, so that a caller without limits costs one comparison. */
export function compileCallerLimits(given: {
  addresses: readonly string[];
  origins: readonly string[];
}): CallerLimits | null {
  if (given.addresses.length === 0 && given.origins.length === 0) return null;
  return {
    addresses: given.addresses.length === 0 ? null : compileAddresses(given.addresses),
    origins: given.origins.length === 0 ? null : new Set(given.origins),
  };
}

/**
 * Refuses a caller that the key is not for. An unknown address is not an allowed one.
 * @throws AppError `key_restricted`
 */
export function assertCallerAllowed(limits: CallerLimits, caller: Caller): void {
  const { addresses, origins } = limits;
  if (addresses !== null) {
    const address = plainAddress(caller.address ?? '');
    const family = familyOf(address);
    if (isIP(address) === 0 || !addresses[family].check(address, family)) {
      throw new AppError('key_restricted', {
        detail: `This key may not be used from the address ${isIP(address) === 0 ? 'of this connection' : address}. Whoever issued it can add the address to its limits.`,
      });
    }
  }
  if (origins !== null && (caller.origin === undefined || !origins.has(caller.origin))) {
    throw new AppError('key_restricted', {
      detail:
        caller.origin === undefined
          ? 'This key is only for certain web pages, and the request names no origin. Use a key without limits on origins for programs.'
          : 'This key may not be used from this web page. Whoever issued it can add the origin to its limits.',
    });
  }
}

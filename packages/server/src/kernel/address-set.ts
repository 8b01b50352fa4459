import { BlockList, isIP } from 'node:net';

/** Addresses and networks given in CIDR notation. */
export interface AddressSet {
  /** False for anything that is not a literal address. IPv4-mapped IPv6 counts as the IPv4 address it means. */
  has(address: string): boolean;
  readonly empty: boolean;
}

interface Network {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

const MAPPED = /^::ffff:(?:0{1,4}:)?(\d{1,3}(?:\.\d{1,3}){3})$/i;
const MAPPED_HEX = /^(?:0{1,4}:){5}ffff:|^::ffff:[\da-f]{1,4}:[\da-f]{1,4}$/i;

/**
 * The address without its disguise: `::ffff:10.0.0.1` is `10.0.0.1` (RFC 4291 §2.5.5.2), which is also how a
 * dual-stack listener sees IPv4 clients.
 */
export function plainAddress(address: string): string {
  const dotted = MAPPED.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  if (!MAPPED_HEX.test(address) || isIP(address) !== 6) return address;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const hex = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical);
  if (!hex) return address;
  const bits = Number.parseInt(hex[1] ?? '', 16) * 65_536 + Number.parseInt(hex[2] ?? '', 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
 * @returns null when it is neither; zone ids are refused, since they mean nothing off this machine
 */
export function parseNetwork(text: string): Network | null {
  const [given = '', length, ...more] = text.split('/');
  if (more.length > 0 || given.includes('%')) return null;
  const address = plainAddress(given);
  const version = isIP(address);
  if (version === 0) return null;
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (prefix < 0 || prefix > bits) return null;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/**
 * Builds a set from networks that were checked before.
 * @throws Error when one of them is not an address or network
 */
export function createAddressSet(networks: readonly string[]): AddressSet {
  // Two lists: one list would check IPv4 addresses against IPv4-mapped blocks of IPv6 too.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network === null) throw new Error(`not an address or network: ${text}`);
    lists[network.family].addSubnet(network.address, network.prefix, network.family);
  }
  return {
    empty: networks.length === 0,
    has(address) {
      const plain = plainAddress(address);
      const version = isIP(plain);
      if (version === 0 || plain.includes('%')) return false;
      return version === 4 ? lists.ipv4.check(plain, 'ipv4') : lists.ipv6.check(plain, 'ipv6');
    },
  };
}

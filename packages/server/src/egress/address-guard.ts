import { isIP } from 'node:net';
import { createAddressSet } from '../kernel/address-set.ts';

/**
 * Every block of the IANA special-purpose registries (RFC 6890 and updates) that is not global unicast, plus multicast,
 * plus what a cloud serves to its own machines under an address that only looks public.
 */
const SPECIAL_IPV4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['168.63.129.16', 32], // inside every machine of Azure: its configuration and certificates
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/**
 * The only global unicast space of IPv6 (RFC 4291 §2.4). What lies outside embeds IPv4 addresses (mapped, compatible,
 * translated, NAT64), stays on a link or a site, is multicast or is not assigned.
 */
const GLOBAL_IPV6 = '2000::/3';
const SPECIAL_IPV6: readonly [string, number][] = [
  ['2001::', 23], // IETF protocol assignments, Teredo and ORCHID among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4 (RFC 3056)
  ['2620:4f:8000::', 48],
  ['3fff::', 20], // documentation (RFC 9637)
];

/** What a network of one's own is numbered with: loopback, RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE_USE = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1',
  'fc00::/7',
];
/** Cloud metadata services inside the private ranges: they hand out the machine's own credentials to whoever asks. */
const METADATA = ['100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'];

const cidr = ([network, prefix]: readonly [string, number]): string => `${network}/${prefix}`;
const specialIpv4 = createAddressSet(SPECIAL_IPV4.map(cidr));
const specialIpv6 = createAddressSet(SPECIAL_IPV6.map(cidr));
const globalIpv6 = createAddressSet([GLOBAL_IPV6]);
const privateUse = createAddressSet(PRIVATE_USE);
const metadata = createAddressSet(METADATA);

/**
 * True for global unicast addresses only. Anything that is not a literal address is false.
 * @param address IPv4 or IPv6 literal without brackets; a zone id makes it non-public
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  if (family === 4) return !specialIpv4.has(address);
  return globalIpv6.has(address) && !specialIpv6.has(address);
}

/**
 * True for addresses of one's own machine and network. Link-local, metadata, multicast and reserved addresses are
 * neither public nor this: no account has a reason to point there.
 */
export function isPrivateAddress(address: string): boolean {
  return privateUse.has(address) && !metadata.has(address);
}

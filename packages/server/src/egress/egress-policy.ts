import { isIP } from 'node:net';
import { createAddressSet, parseNetwork } from '../kernel/address-set.ts';
import { bareHost, parseHostEntry } from '../kernel/host-entry.ts';
import { isPrivateAddress, isPublicAddress } from './address-guard.ts';

/**
 * Who may permit an upstream that is not public: `accounts` = each account for itself, and the list; `listed` = the
 * list alone; `never` = nobody.
 */
export type PrivateUpstreams = 'accounts' | 'listed' | 'never';

/** Where a connection is to go, before its name is resolved. */
export interface Destination {
  /** As `URL` writes it: lower case, numbers in any notation as dotted decimals, IPv6 in brackets. */
  hostname: string;
  port: number;
  /** The account's own permission for private addresses. */
  allowPrivate: boolean;
}

/** The rules for outbound connections, asked when an account is made, tested and connected (TW-17). */
export interface EgressPolicy {
  /** True when the destination may be private: then plain http is a choice, too. */
  mayBePrivate(to: Destination): boolean;
  /** Judges what the host itself says: a literal address, or a name that never leaves this machine or network. */
  permitsHost(to: Destination): boolean;
  /** Judges an address the host was resolved to. */
  permitsAddress(address: string, to: Destination): boolean;
}

/** RFC 6761 §6.3 and the names that systems and networks give themselves; none of them is delegated publicly. */
const LOCAL_SUFFIXES = ['localhost', 'localdomain', 'local', 'internal', 'home.arpa'];

/** A single label is looked up in the search domains of this machine, so it is a name of its network. */
function isLocalName(host: string): boolean {
  return (
    !host.includes('.') || LOCAL_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))
  );
}

/** Port of a URL, also when it is the scheme's own and left out. */
function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** The destination a base URL or an origin names. */
export function destinationOf(url: URL, allowPrivate: boolean): Destination {
  return { hostname: url.hostname, port: portOf(url), allowPrivate };
}

/** @param options.allowed networks in CIDR notation and hosts (`gpu.internal`, `gpu.internal:8000`, `[::1]:11434`) */
export function createEgressPolicy(options: {
  privateUpstreams: PrivateUpstreams;
  allowed: readonly string[];
}): EgressPolicy {
  const { privateUpstreams, allowed } = options;
  const networks = createAddressSet(allowed.filter((entry) => parseNetwork(entry) !== null));
  const hosts = allowed
    .filter((entry) => parseNetwork(entry) === null)
    .map(parseHostEntry)
    .filter((entry) => entry !== null);

  const namedHost = (to: Destination): boolean =>
    hosts.some(({ host, port }) => host === bareHost(to.hostname) && (port === null || port === to.port));
  const permitted = (to: Destination): boolean =>
    (privateUpstreams === 'accounts' && to.allowPrivate) || namedHost(to);

  const policy: EgressPolicy = {
    mayBePrivate: (to) => permitted(to) || networks.has(bareHost(to.hostname)),
    permitsHost(to) {
      const host = bareHost(to.hostname);
      if (isIP(host) !== 0) return policy.permitsAddress(host, to);
      // A name may still lead into a permitted network: then its addresses decide.
      return !isLocalName(host) || permitted(to) || !networks.empty;
    },
    permitsAddress(address, to) {
      if (isPublicAddress(address) || networks.has(address)) return true;
      return isPrivateAddress(address) && permitted(to);
    },
  };
  return policy;
}

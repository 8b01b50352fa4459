import type { IncomingMessage } from 'node:http';
import type { AddressSet } from '../kernel/address-set.ts';
import { type ForwardedHop, parseForwarded, parseXForwarded } from './forwarded.ts';
import { type ClientView, peerOf } from './request-marks.ts';

/** Which proxies are believed, and which of the two header families they write. */
export interface ProxyTrust {
  proxies: AddressSet;
  /**
   * Only one family is read: a proxy that writes the one usually passes the other on as the client sent it, so
   * reading both would believe the client.
   */
  headers: 'x-forwarded' | 'forwarded';
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

function hopsOf({ headers }: IncomingMessage, family: ProxyTrust['headers']): ForwardedHop[] {
  if (family === 'forwarded') return parseForwarded(headers.forwarded ?? '');
  return parseXForwarded({
    for: single(headers['x-forwarded-for']),
    proto: single(headers['x-forwarded-proto']),
    host: single(headers['x-forwarded-host']),
  });
}

/**
 * Finds out who is calling. From the connection's peer the chain is followed back as long as the address that speaks
 * is a trusted proxy; the first that is not is the client, and whatever stands further left is its own invention.
 */
export function readClient(request: IncomingMessage, trust: ProxyTrust): ClientView {
  const peer = peerOf(request);
  if (peer.address === null || !trust.proxies.has(peer.address)) return peer;
  const hops = hopsOf(request, trust.headers);
  let nearest: ForwardedHop | null = null;
  let { address } = peer;
  for (const hop of hops.toReversed()) {
    if (!trust.proxies.has(address)) break;
    nearest = hop;
    if (hop.address === null) break; // the proxy does not say whom it speaks for: it is the last one known
    address = hop.address;
  }
  if (nearest === null) return peer;
  return {
    address,
    secure: nearest.proto === null ? peer.secure : nearest.proto === 'https',
    proxied: nearest.proto !== null,
    host: nearest.host ?? peer.host,
  };
}

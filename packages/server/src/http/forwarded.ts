import { isIP } from 'node:net';
import { plainAddress } from '../kernel/address-set.ts';

/** What one proxy says about the connection it received. */
export interface ForwardedHop {
  /** Null for what is no address: `unknown`, obfuscated identifiers (RFC 7239 §6), nonsense. */
  address: string | null;
  proto: 'http' | 'https' | null;
  host: string | null;
}

/** More proxies than any request passes; what is longer is not read. */
const MAX_HOPS = 32;
const NODE = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/i;

/** An address as proxies write it: with or without port, IPv6 with or without brackets. */
function addressIn(text: string): string | null {
  if (isIP(text) !== 0 && !text.includes('%')) return plainAddress(text);
  const match = NODE.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  return isIP(address) === 0 ? null : plainAddress(address);
}

function protoIn(text: string | undefined): ForwardedHop['proto'] {
  const lower = text?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : null;
}

const NOTHING: ForwardedHop = { address: null, proto: null, host: null };

/** One `name=value` of a `Forwarded` element; values may be quoted (RFC 7239 §4, RFC 9110 §5.6.4). */
const PAIR = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w:[\]-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/y;

/**
 * Reads a `Forwarded` header (RFC 7239), the nearest proxy last.
 * @returns what was read up to the first mistake counts for nothing: a header that is not well-formed is an empty list
 */
export function parseForwarded(header: string): ForwardedHop[] {
  const hops: ForwardedHop[] = [];
  let hop: ForwardedHop = { ...NOTHING };
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < header.length) {
    const match = PAIR.exec(header);
    if (match === null || hops.length >= MAX_HOPS) return [];
    const value = match[2] ?? match[3]?.replace(/\\(.)/g, '$1') ?? '';
    const name = match[1]?.toLowerCase();
    if (name === 'for') hop.address = addressIn(value);
    else if (name === 'proto') hop.proto = protoIn(value);
    else if (name === 'host') hop.host = value;
    if (match[4] === ';') continue;
    hops.push(hop);
    hop = { ...NOTHING };
  }
  return hops;
}

const lastOf = (header: string | undefined): string | undefined => header?.split(',').at(-1)?.trim();

/** Reads `X-Forwarded-For`, `-Proto` and `-Host` into the same form; protocol and host are the nearest proxy's word. */
export function parseXForwarded(headers: {
  for: string | undefined;
  proto: string | undefined;
  host: string | undefined;
}): ForwardedHop[] {
  const addresses = headers.for === undefined ? [] : headers.for.split(',');
  const proto = protoIn(lastOf(headers.proto));
  const host = lastOf(headers.host) ?? null;
  if (addresses.length === 0) return proto === null && host === null ? [] : [{ address: null, proto, host }];
  return addresses.slice(-MAX_HOPS).map((text) => ({ address: addressIn(text.trim()), proto, host }));
}

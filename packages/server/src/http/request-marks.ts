import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../kernel/address-set.ts';

/** Who is on the other side of a request, proxies that are trusted taken out. */
export interface ClientView {
  /** Null once the connection is gone, and on the owner-only socket. */
  address: string | null;
  /** True when the client's connection is encrypted, here or up to a trusted proxy. */
  secure: boolean;
  /** True when a trusted proxy has said how the client came; then `secure` is known even when it is false. */
  proxied: boolean;
  /** The name the client asked for, with its port where there is one. */
  host: string | undefined;
}

/** Symbols cannot be sent over a socket: only code of this process sets these. */
const LOCAL = Symbol('arrived through the owner-only socket');
const PUBLIC = Symbol('arrived where only public rows are served');
const CLIENT = Symbol('who a trusted proxy speaks for');

interface Markable {
  [LOCAL]?: true;
  [PUBLIC]?: true;
  [CLIENT]?: ClientView;
}

/** Marks a request that arrived through the owner-only socket: whoever can open that owns the installation. */
export function markLocal(request: IncomingMessage): void {
  (request as IncomingMessage & Markable)[LOCAL] = true;
}

export function isLocal(request: IncomingMessage): boolean {
  return (request as IncomingMessage & Markable)[LOCAL] === true;
}

/** Marks a request of a listener that serves the rows of `both` alone, because the others have their own. */
export function markPublic(request: IncomingMessage): void {
  (request as IncomingMessage & Markable)[PUBLIC] = true;
}

export function isPublicOnly(request: IncomingMessage): boolean {
  return (request as IncomingMessage & Markable)[PUBLIC] === true;
}

/** Notes who a trusted proxy speaks for. */
export function markClient(request: IncomingMessage, client: ClientView): void {
  (request as IncomingMessage & Markable)[CLIENT] = client;
}

/** The peer of the connection, whatever the request says about others. */
export function peerOf(request: IncomingMessage): ClientView {
  const { remoteAddress } = request.socket;
  return {
    address: remoteAddress === undefined ? null : plainAddress(remoteAddress),
    secure: 'encrypted' in request.socket && request.socket.encrypted === true,
    proxied: false,
    host: request.headers.host,
  };
}

export function clientOf(request: IncomingMessage): ClientView {
  return (request as IncomingMessage & Markable)[CLIENT] ?? peerOf(request);
}

/** The client's address: that of the connection's peer, or the one a trusted proxy speaks for. */
export function clientAddressOf(request: IncomingMessage): string | null {
  const client = (request as IncomingMessage & Markable)[CLIENT];
  if (client !== undefined) return client.address;
  const { remoteAddress } = request.socket;
  return remoteAddress === undefined ? null : plainAddress(remoteAddress);
}

/** True when the request came over TLS, to this process itself or to a trusted proxy. */
export function isSecure(request: IncomingMessage): boolean {
  return clientOf(request).secure;
}

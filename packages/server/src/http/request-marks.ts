import type { IncomingMessage } from 'node:http';

/** A symbol cannot be sent over a socket: only code of this process sets it. */
const LOCAL = Symbol('arrived through the owner-only socket');

interface Markable {
  [LOCAL]?: true;
}

/** Marks a request that arrived through the owner-only socket: whoever can open that owns the installation. */
export function markLocal(request: IncomingMessage): void {
  (request as IncomingMessage & Markable)[LOCAL] = true;
}

export function isLocal(request: IncomingMessage): boolean {
  return (request as IncomingMessage & Markable)[LOCAL] === true;
}

/** True when the request came over TLS to this process itself. */
export function isSecure(request: IncomingMessage): boolean {
  return 'encrypted' in request.socket && request.socket.encrypted === true;
}

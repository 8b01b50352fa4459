import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { AppError } from '../kernel/errors.ts';
import type { Destination, EgressPolicy } from './egress-policy.ts';
import { createGuardedLookup, type Resolver } from './guarded-lookup.ts';

interface ConnectorOptions {
  connectTimeoutMs: number;
  policy: EgressPolicy;
  resolve: Resolver;
}

/**
 * True when the upstream's own certificate has one of the pinned keys (RFC 7469 §2.4). Only its own: the rest of the
 * chain is what the other side chose to send along.
 */
function hasPinnedKey(socket: Socket | TLSSocket, pins: readonly string[]): boolean {
  const certificate = 'getPeerX509Certificate' in socket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return false;
  return pins.includes(
    hash('sha256', certificate.publicKey.export({ type: 'spki', format: 'der' }), 'base64'),
  );
}

/**
 * Connects through the guard. The address is judged when the name is resolved, and the one that was connected to is
 * judged again before a byte of HTTP is sent: an address literal is never resolved, and nothing else may get past
 * either. Pins come on top of the usual check of the certificate.
 */
export function createConnector(
  options: ConnectorOptions,
  { to, pins }: { to: Destination; pins: readonly string[] },
) {
  const permits = (address: string): boolean => options.policy.permitsAddress(address, to);
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    allowH2: false,
    lookup: createGuardedLookup(options.resolve, permits),
  });
  function problemOf(socket: Socket | TLSSocket): AppError | null {
    if (!permits(socket.remoteAddress ?? '')) return new AppError('egress_blocked');
    return pins.length === 0 || hasPinnedKey(socket, pins) ? null : new AppError('upstream_pin_mismatch');
  }
  const guarded: typeof connect = (target, callback) =>
    connect(target, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const problem = problemOf(socket);
      if (problem === null) return callback(null, socket);
      socket.destroy();
      callback(problem, null);
    });
  return guarded;
}

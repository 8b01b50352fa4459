import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { AddressSet } from '../kernel/address-set.ts';
import { plainAddress } from '../kernel/address-set.ts';
import type { Logger } from '../kernel/logger.ts';

export interface ConnectionLimits {
  maxConnections: number;
  maxConnectionsPerAddress: number;
  /** Proxies bring everybody's connections from one address: only the total holds for them. */
  proxies: AddressSet;
}

/** Whoever is over a limit tries again and again; the log needs one line about it. */
const WARN_EVERY_MS = 60_000;

/**
 * Bounds the connections of a server. Those beyond are closed without an answer: an answer would need what there is
 * too little of.
 */
export function limitConnections(
  server: Server,
  limits: ConnectionLimits,
  { logger, monotonicMs }: { logger: Logger; monotonicMs: () => number },
): void {
  const open = new Map<string, number>();
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  function warn(reason: string, address: string | undefined): void {
    const nowMs = monotonicMs();
    if (nowMs - warnedAtMs < WARN_EVERY_MS) return;
    warnedAtMs = nowMs;
    logger.warn('connections are refused', { reason, ...(address === undefined ? {} : { address }) });
  }
  server.maxConnections = limits.maxConnections;
  server.on('drop', (data) => warn('more than maxConnections are open', data?.remoteAddress));
  server.on('connection', (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (limits.proxies.has(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > limits.maxConnectionsPerAddress) {
      warn('more than maxConnectionsPerAddress are open from one address', address);
      return void socket.destroy();
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

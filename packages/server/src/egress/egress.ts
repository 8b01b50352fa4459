import { hash } from 'node:crypto';
import { lookup } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { AppError } from '../kernel/errors.ts';
import { type Destination, destinationOf, type EgressPolicy } from './egress-policy.ts';
import { createGuardedLookup, type Resolver } from './guarded-lookup.ts';

/** Where a connection may go. Two targets with the same fields share their keep-alive connections. */
export interface EgressTarget {
  /** Scheme, host and port, such as `https://api.anthropic.com`. */
  origin: string;
  /** The account's permission for loopback and private addresses (a local model server), as far as the policy heeds it. */
  allowPrivate: boolean;
  /** SHA-256 of the public keys the upstream may have, in base64; left out or empty pins none. */
  pinSha256?: readonly string[];
}

export interface Egress {
  /**
   * Connections to the target. Unlimited in number, because our own limits stand in front and a pool limit
   * silently queues streams behind streams; redirects are never followed.
   * @throws AppError `egress_blocked` when the policy does not permit the host as it is written
   */
  connections(target: EgressTarget): Dispatcher;
  /**
   * A plain connection for protocols other than HTTP, to an address that was checked. Whoever asks for it ends it.
   * @throws AppError `egress_blocked`, or the error of the network
   */
  connect(target: { hostname: string; port: number; allowPrivate: boolean }): Promise<Socket>;
  /** Ends idle connections and waits for busy ones. */
  close(): Promise<void>;
  /** Ends all connections now. */
  destroy(): Promise<void>;
}

export interface EgressOptions {
  connectTimeoutMs: number;
  policy: EgressPolicy;
  resolve?: Resolver;
}

const KEEP_ALIVE_MS = 30_000;
const MAX_RESPONSE_HEADER_BYTES = 64 * 1024;
/** More distinct targets than any installation has accounts; beyond it the oldest pool is closed. */
const MAX_TARGETS = 512;

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
function createConnector(
  options: EgressOptions & { resolve: Resolver },
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

/** The only place that opens outbound connections (architecture principle 8). */
export function createEgress(options: EgressOptions): Egress {
  const resolve: Resolver = options.resolve ?? lookup;
  const pools = new Map<string, Pool>();

  function openPool(target: EgressTarget): Pool {
    const to = destinationOf(new URL(target.origin), target.allowPrivate);
    if (!options.policy.permitsHost(to)) throw new AppError('egress_blocked');
    return new Pool(target.origin, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      connect: createConnector({ ...options, resolve }, { to, pins: target.pinSha256 ?? [] }),
    });
  }

  return {
    connect({ hostname, port, allowPrivate }) {
      const bare = hostname.replace(/^\[|\]$/g, '');
      const written = isIP(bare) === 6 ? `[${bare}]` : bare;
      // As a URL has it, so that odd spellings of numbers are seen for the addresses they are.
      const to = { ...destinationOf(new URL(`http://${written}/`), allowPrivate), port };
      if (!options.policy.permitsHost(to)) throw new AppError('egress_blocked');
      const connector = createConnector({ ...options, resolve }, { to, pins: [] });
      const host = to.hostname.replace(/^\[|\]$/g, '');
      const plain = { hostname: host, host, protocol: 'http:', port: String(port) };
      return new Promise((done, failed) => {
        connector(plain, (error, socket) => (error === null ? done(socket) : failed(error)));
      });
    },
    connections(target) {
      const pins = target.pinSha256?.join(' ') ?? '';
      const key = `${target.allowPrivate ? 'private' : 'public'} ${target.origin} ${pins}`;
      const open = pools.get(key);
      if (open) return open;
      const pool = openPool(target);
      if (pools.size >= MAX_TARGETS) {
        const [oldestKey, oldest] = pools.entries().next().value ?? [];
        if (oldestKey !== undefined) pools.delete(oldestKey);
        oldest?.close().catch(() => undefined); // busy requests end on their own; a failed close leaves nothing to do
      }
      pools.set(key, pool);
      return pool;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      pools.clear();
    },
    async destroy() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

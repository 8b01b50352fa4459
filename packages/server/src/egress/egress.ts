import { lookup } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { AppError } from '../kernel/errors.ts';
import { systemTimers, type Timers } from '../kernel/timers.ts';
import { createConnector } from './connector.ts';
import { destinationOf, type EgressPolicy } from './egress-policy.ts';
import type { Resolver } from './guarded-lookup.ts';
import { ConnectionPool } from './http1/connection-pool.ts';
import type { Upstream } from './http1/upstream-handler.ts';
import { TargetMap } from './target-map.ts';

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
   * The same for the traffic of clients, through our own HTTP/1.1 client: it does what a gate needs and no more, at a
   * fraction of the cost. Its connections are not shared with the others.
   * @throws AppError `egress_blocked` when the policy does not permit the host as it is written
   */
  upstream(target: EgressTarget): Upstream;
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
  /** What waits for upstreams goes by; the machine's own unless given. */
  timers?: Timers;
}

const KEEP_ALIVE_MS = 30_000;
const MAX_RESPONSE_HEADER_BYTES = 64 * 1024;

/** Equal for targets with the same fields. */
function keyOf({ origin, allowPrivate, pinSha256 }: EgressTarget): string {
  return `${allowPrivate ? 'private' : 'public'} ${origin} ${pinSha256?.join(' ') ?? ''}`;
}

/** The only place that opens outbound connections (architecture principle 8). */
export function createEgress(options: EgressOptions): Egress {
  const resolve: Resolver = options.resolve ?? lookup;
  const pools = new TargetMap<Pool>();
  const upstreams = new TargetMap<ConnectionPool>();

  function connectorFor(target: EgressTarget) {
    const to = destinationOf(new URL(target.origin), target.allowPrivate);
    if (!options.policy.permitsHost(to)) throw new AppError('egress_blocked');
    return createConnector({ ...options, resolve }, { to, pins: target.pinSha256 ?? [] });
  }

  function openPool(target: EgressTarget): Pool {
    return new Pool(target.origin, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      connect: connectorFor(target),
    });
  }

  const openUpstream = (target: EgressTarget): ConnectionPool =>
    new ConnectionPool({
      origin: target.origin,
      connect: connectorFor(target),
      timers: options.timers ?? systemTimers,
    });

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
    connections: (target) => pools.get(keyOf(target), () => openPool(target)),
    upstream: (target) => upstreams.get(keyOf(target), () => openUpstream(target)),
    async close() {
      await Promise.all([pools.close(), upstreams.close()]);
    },
    async destroy() {
      await Promise.all([pools.destroy(), upstreams.destroy()]);
    },
  };
}

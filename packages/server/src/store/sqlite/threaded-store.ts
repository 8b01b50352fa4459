import type { Store } from '../store.ts';
import { StoreThread } from './thread-client.ts';
import type { StorePart } from './thread-protocol.ts';

/** Readers beyond the first start only when the others are busy. */
const MAX_READERS = 2;
const READS = /^(list|get|find|count|read)|^(ping|schemaVersion)$/;

/**
 * The store for the main thread, which never touches the file itself: one thread holds configuration and
 * identity, whose rows are few and small; others, started when asked for, answer questions about usage beside it
 * (WAL lets them); and maintenance, which takes long, has a thread of its own.
 */
export function createThreadedStore(url: string): Store & { start(): Promise<void> } {
  const writer = new StoreThread({ url, readOnly: false, cacheMib: 4 }); // small rows only
  const maintenance = new StoreThread({ url, readOnly: false, cacheMib: 16 });
  const readers = Array.from(
    { length: MAX_READERS },
    () => new StoreThread({ url, readOnly: true, cacheMib: 16 }),
  );
  const reader = (): StoreThread => {
    const started = readers.filter((thread) => thread.running);
    const free = started.find((thread) => thread.load === 0);
    const fresh = readers.find((thread) => !thread.running && thread.load === 0);
    return free ?? fresh ?? readers.reduce((least, thread) => (thread.load < least.load ? thread : least));
  };
  const threadFor = (part: StorePart, method: string): StoreThread => {
    if (part === 'maintenance') return maintenance;
    if (part === 'usage') return reader();
    // A small read is not worth a thread of its own, unless it would wait behind a write.
    return READS.test(method) && writer.load > 0 ? reader() : writer;
  };
  const call = (part: StorePart, method: string, args: unknown[]) =>
    threadFor(part, method).call(part, method, args);
  return {
    capabilities: { kind: 'sqlite', multiProcess: false },
    async start() {
      await writer.start();
    },
    migrate: () => call('store', 'migrate', []) as ReturnType<Store['migrate']>,
    schemaVersion: () => call('store', 'schemaVersion', []) as Promise<number>,
    ping: () => call('store', 'ping', []) as Promise<void>,
    config: remotePart('config', call),
    identity: remotePart('identity', call),
    people: remotePart('people', call),
    passkeys: remotePart('passkeys', call),
    sso: remotePart('sso', call),
    ledger: remotePart('ledger', call),
    usage: remotePart('usage', call),
    maintenance: remotePart('maintenance', call),
    audit: remotePart('audit', call),
    incident: remotePart('incident', call),
    vault: remotePart('vault', call),
    budgets: remotePart('budgets', call),
    limits: remotePart('limits', call),
    pool: remotePart('pool', call),
    rules: remotePart('rules', call),
    oauth: remotePart('oauth', call),
    leases: remotePart('leases', call),
    nodes: remotePart('nodes', call),
    jobs: remotePart('jobs', call),
    alerts: remotePart('alerts', call),
    atOneMoment: null,
    async close() {
      await Promise.all([maintenance, ...readers].map((thread) => thread.close()));
      await writer.close(); // last: it leaves the write-ahead log copied and removed
    },
  };
}

type Call = (part: StorePart, method: string, args: unknown[]) => Promise<unknown>;

/** A part of the store whose every method is a call to a thread. */
function remotePart<P extends Exclude<StorePart, 'store'>>(part: P, call: Call): Store[P] {
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy({} as Store[P], {
    get(_target, name) {
      if (typeof name !== 'string' || name === 'then') return undefined; // not a promise
      let method = methods.get(name);
      if (method === undefined) {
        method = (...args) => call(part, name, args);
        methods.set(name, method);
      }
      return method;
    },
  });
}

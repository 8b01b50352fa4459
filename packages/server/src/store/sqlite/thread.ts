import { parentPort, workerData } from 'node:worker_threads';
import { lowerThreadPriority } from '../../kernel/thread-priority.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { createStore } from '../queries/store.ts';
import { openDatabase, parseSqliteUrl } from './connection.ts';
import {
  describeFailure,
  packResult,
  type ThreadCall,
  type ThreadData,
  type ThreadReply,
} from './thread-protocol.ts';

/** A thread with a connection of its own, which runs the store's methods for the main thread, one at a time. */
function serve(port: NonNullable<typeof parentPort>): void {
  const { url, readOnly, cacheMib } = workerData as ThreadData;
  const reply = (message: ThreadReply): void => port.postMessage(message);
  const { path, synchronous } = parseSqliteUrl(url);
  const database = openDatabase(path, { readOnly, synchronous, cacheMib });
  const store = createStore(database, { kind: 'sqlite', multiProcess: false }, MIGRATIONS);
  const parts = { ...store, store };
  port.on('message', ({ id, part, method, args }: ThreadCall) => {
    const run: unknown = Reflect.get(parts[part], method);
    if (typeof run !== 'function') {
      reply({ id, failed: { code: null, message: `The store has no method ${part}.${method}.` } });
      return;
    }
    (run as (...args: unknown[]) => Promise<unknown>)(...args).then(
      (result) => {
        reply({ id, result: packResult(result) });
        if (part === 'store' && method === 'close') port.close();
      },
      (error: unknown) => reply({ id, failed: describeFailure(error) }),
    );
  });
  reply({ ready: true });
}

/** A question of the dashboard may wait a moment longer; a stream may not. */
const STORE_NICE = 5;

if (parentPort !== null) {
  lowerThreadPriority(STORE_NICE);
  try {
    serve(parentPort);
  } catch (error) {
    parentPort.postMessage({ failed: describeFailure(error) } satisfies ThreadReply);
    parentPort.close();
  }
}

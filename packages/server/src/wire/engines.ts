import { AppError } from '../kernel/errors.ts';
import { postgresEngine } from '../store/postgres/engine.ts';
import { sqliteEngine } from '../store/sqlite/engine.ts';
import type { StoreEngine } from '../store/store.ts';

/** Every database this program stores in. Adding one is its folder and a line here. */
const ENGINES: readonly StoreEngine[] = [sqliteEngine, postgresEngine];

/**
 * The engine for a database URL.
 * @throws AppError `invalid_request` naming the schemes that work
 */
export function engineFor(url: string): StoreEngine {
  const scheme = url.slice(0, url.indexOf(':'));
  const engine = ENGINES.find((candidate) => candidate.schemes.includes(scheme));
  if (engine) return engine;
  const known = ENGINES.flatMap((candidate) => candidate.schemes).join(', ');
  throw new AppError('invalid_request', {
    detail: `The database URL starts with an unknown scheme. Known ones: ${known}.`,
  });
}

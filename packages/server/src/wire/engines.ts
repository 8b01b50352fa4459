import { AppError } from '../kernel/errors.ts';
import type { StoreEngine } from '../store/store.ts';

interface EngineRow {
  /** URL schemes the engine opens. */
  schemes: readonly string[];
  /** Loads the engine only where it is used: drivers are large, and every thread that stores loads one. */
  load(): Promise<StoreEngine>;
}

/** Every database this program stores in. Adding one is its folder and a row here. */
const ENGINES: readonly EngineRow[] = [
  { schemes: ['sqlite'], load: async () => (await import('../store/sqlite/engine.ts')).sqliteEngine },
  {
    schemes: ['postgres', 'postgresql'],
    load: async () => (await import('../store/postgres/engine.ts')).postgresEngine,
  },
];

/**
 * The engine for a database URL.
 * @throws AppError `invalid_request` naming the schemes that work
 */
export async function engineFor(url: string): Promise<StoreEngine> {
  const scheme = url.slice(0, url.indexOf(':'));
  const engine = ENGINES.find((candidate) => candidate.schemes.includes(scheme));
  if (engine) return engine.load();
  const known = ENGINES.flatMap((candidate) => candidate.schemes).join(', ');
  throw new AppError('invalid_request', {
    detail: `The database URL starts with an unknown scheme. Known ones: ${known}.`,
  });
}

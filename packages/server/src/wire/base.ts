import { chmodSync, mkdirSync } from 'node:fs';
import { type DataPaths, dataPaths } from '../config/data-paths.ts';
import type { Config } from '../config/settings.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { createIdSource, type IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Store } from '../store/store.ts';
import { engineFor } from './engines.ts';

/** What everything else stands on. */
export interface Ground {
  config: Config;
  /** The file that settings come from; null when none does. */
  settingsFile: string | null;
  paths: DataPaths;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
}

/** The same with the migrated store. */
export interface Base extends Ground {
  store: Store;
}

/** Makes the data directory, for its owner only. */
export function prepareDataDir(config: Config): DataPaths {
  const paths = dataPaths(config.dataDir, process.getuid?.() ?? null);
  for (const folder of [paths.dir, paths.controlDir]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  // An existing folder may have been made with a wider umask; what is in it is for its owner only.
  chmodSync(paths.dir, 0o700);
  chmodSync(paths.controlDir, 0o700);
  return paths;
}

/** Lays out the data directory; opens nothing. */
export function layGround(config: Config, logger: Logger, settingsFile: string | null = null): Ground {
  return {
    config,
    settingsFile,
    paths: prepareDataDir(config),
    clock: systemClock,
    newId: createIdSource(systemClock),
    logger,
  };
}

/**
 * Opens the store of an installation and migrates it.
 * @throws AppError or the engine's error; nothing stays open then
 */
export async function openBase(ground: Ground): Promise<Base> {
  const dbUrl = ground.config.dbUrl.reveal();
  const store = await (await engineFor(dbUrl)).open(dbUrl, { role: 'main' });
  try {
    await store.migrate();
    return { ...ground, store };
  } catch (error) {
    await store.close();
    throw error;
  }
}

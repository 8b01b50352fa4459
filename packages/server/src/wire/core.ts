import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { type DataPaths, dataPaths } from '../config/data-paths.ts';
import type { Config } from '../config/settings.ts';
import { createEgress, type Egress } from '../egress/egress.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { createIdSource, type IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Store } from '../store/store.ts';
import { createVault } from '../vault/aes-vault.ts';
import { loadMasterKey, verifyMasterKey } from '../vault/master-key.ts';
import type { Vault } from '../vault/vault.ts';
import { engineFor } from './engines.ts';
import { createSnapshotSource, type SnapshotSource } from './snapshot-source.ts';

/** What the server and the command line, when no server runs, have in common. */
export interface Core {
  config: Config;
  paths: DataPaths;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  store: Store;
  vault: Vault;
  egress: Egress;
  snapshot: SnapshotSource;
  workspaceId: string;
  /** Things the operator should read, such as where a new master key was put. */
  notices: string[];
  close(): Promise<void>;
}

const WORKSPACE_SETTING = 'workspace_id';

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

async function openVault(
  config: Config,
  paths: DataPaths,
  store: Store,
): Promise<{ vault: Vault; notices: string[] }> {
  const key = await loadMasterKey({ path: paths.masterKey, fromEnvironment: config.masterKey });
  const vault = createVault(key.bytes);
  await verifyMasterKey(
    vault,
    store.config,
    key.source === 'environment' ? 'the environment' : paths.masterKey,
  );
  const notices =
    key.source === 'created'
      ? [
          `A new master key is in ${paths.masterKey}. Back it up: without it the stored upstream keys cannot be opened.`,
        ]
      : [];
  return { vault, notices };
}

/** The one workspace and the default project of an installation. */
async function ensureWorkspace(store: Store, deps: { newId: IdSource; clock: Clock }): Promise<string> {
  const known = await store.config.getSetting(WORKSPACE_SETTING);
  const workspace = await store.config.ensureWorkspace({
    id: known ?? deps.newId(),
    name: 'default',
    createdAtMs: deps.clock.now(),
  });
  if (known === null) await store.config.setSetting(WORKSPACE_SETTING, workspace.id);
  const projects = await store.config.listProjects();
  if (!projects.some((project) => project.slug === 'default')) {
    await store.config.insertProject({
      id: deps.newId(),
      workspaceId: workspace.id,
      slug: 'default',
      name: 'Default',
      disconnectPolicy: 'abort',
      createdAtMs: deps.clock.now(),
    });
  }
  return workspace.id;
}

/**
 * Opens an installation: data directory, store (migrated), vault, prices, snapshot.
 * @throws MasterKeyError, AppError or the engine's error; nothing stays open then
 */
export async function openCore(config: Config, logger: Logger): Promise<Core> {
  const clock = systemClock;
  const newId = createIdSource(clock);
  const paths = prepareDataDir(config);
  const dbUrl = config.dbUrl.reveal();
  const store = await engineFor(dbUrl).open(dbUrl, { role: 'main' });
  try {
    await store.migrate();
    const { vault, notices } = await openVault(config, paths, store);
    const workspaceId = await ensureWorkspace(store, { newId, clock });
    const snapshot = await createSnapshotSource({ config: store.config, vault, logger });
    const egress = createEgress({ connectTimeoutMs: config.connectTimeoutMs });
    return {
      config,
      paths,
      clock,
      newId,
      logger,
      store,
      vault,
      egress,
      snapshot,
      workspaceId,
      notices,
      async close() {
        await egress.destroy();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Random bytes of the system's generator. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);

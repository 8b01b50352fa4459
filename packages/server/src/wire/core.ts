import { randomBytes } from 'node:crypto';
import type { DataPaths } from '../config/data-paths.ts';
import type { Config } from '../config/settings.ts';
import { createEgress, type Egress } from '../egress/egress.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Store } from '../store/store.ts';
import { createVault } from '../vault/aes-vault.ts';
import { loadMasterKey, verifyMasterKey } from '../vault/master-key.ts';
import type { Vault } from '../vault/vault.ts';
import type { Base } from './base.ts';
import { openPooling, type Pooling } from './pool.ts';
import { createSnapshotSource, type SnapshotSource } from './snapshot-source.ts';

/** What the server and the command line, when no server runs, have in common. */
export interface Core extends Base {
  vault: Vault;
  egress: Egress;
  snapshot: SnapshotSource;
  /** The account pool, and what is known of its accounts. */
  pooling: Pooling;
  workspaceId: string;
  /** Things the operator should read, such as where a new master key was put. */
  notices: string[];
}

const WORKSPACE_SETTING = 'workspace_id';

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
 * Opens what is built on the store: vault, prices, snapshot. Whoever opened the base closes it.
 * @throws MasterKeyError or AppError
 */
export async function openCore(base: Base): Promise<Core> {
  const { config, paths, store, logger } = base;
  const { vault, notices } = await openVault(config, paths, store);
  const workspaceId = await ensureWorkspace(store, base);
  const pooling = await openPooling({ store, config });
  const { states } = pooling;
  const snapshot = await createSnapshotSource({ config: store.config, vault, logger, states });
  const egress = createEgress({ connectTimeoutMs: config.connectTimeoutMs });
  return { ...base, vault, egress, snapshot, pooling, workspaceId, notices };
}

/** Random bytes of the system's generator. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);

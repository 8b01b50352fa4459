import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemView } from '@tallygate/contract/api/system';
import { BudgetBook } from '../admin/budgets/budget-book.ts';
import { LimitBook } from '../admin/limits/limit-book.ts';
import type { Listener } from '../checkup/listeners.ts';
import { createEgress, type Egress } from '../egress/egress.ts';
import { createEgressPolicy, type EgressPolicy } from '../egress/egress-policy.ts';
import type { UserHash } from '../identity/user-hash.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import { RateEngine } from '../limits/rate-engine.ts';
import { createKeyAddressWatch, type KeyAddressWatch } from '../security/key-addresses.ts';
import { createSecurityMonitor, type SecurityMonitor } from '../security/security-monitor.ts';
import type { Store } from '../store/store.ts';
import { openKeyring } from '../vault/open-keyring.ts';
import type { Vault } from '../vault/vault.ts';
import { createVaultKeeper, type VaultKeeper } from '../vault/vault-keeper.ts';
import type { Base } from './base.ts';
import type { DomainHolder } from './credential-files.ts';
import { masterKeyPlace } from './key-lock.ts';
import { type LocalAccess, NO_LOCAL_ACCESS } from './local-access.ts';
import { createOauthAccounts, type OauthAccounts } from './oauth.ts';
import { openPooling, type Pooling } from './pool.ts';
import { settledLimits } from './settled-limits.ts';
import { createSnapshotSource, type SnapshotSource } from './snapshot-source.ts';
import { openUserHash } from './user-hash.ts';

/** What the server and the command line, when no server runs, have in common. */
export interface Core extends Base {
  vault: Vault;
  egressPolicy: EgressPolicy;
  keeper: VaultKeeper;
  egress: Egress;
  /** Null while ids of users are stored as they come. */
  userHash: UserHash | null;
  snapshot: SnapshotSource;
  /** Empty until it is loaded, which has to wait for recovery. */
  budgets: BudgetBook;
  limits: LimitBook;
  /** The account pool, and what is known of its accounts. */
  pooling: Pooling;
  /** Tokens of the accounts that sign in with OAuth. */
  oauth: OauthAccounts;
  /** Workspaces that credential files give a host name. */
  domains: DomainHolder;
  /** The workspace that the installation began with. */
  workspaceId: string;
  security: SecurityMonitor;
  keyAddresses: KeyAddressWatch;
  access: LocalAccess;
  /** Things the operator should read, such as where a new master key was put. */
  notices: string[];
  /** Where the server is reached; empty until it listens, and where none runs. */
  listening: Listener[];
  /** What the operator should know for as long as it is so. */
  liveWarnings: (() => SystemView['warnings'])[];
}

/** Several times as long as nodes take to see that the configuration changed. */
const KEY_KNOWN_AFTER_MS = 3_000;
const WORKSPACE_SETTING = 'workspace_id';

/** The workspace that an installation begins with, and its default project. */
async function ensureWorkspace(store: Store, deps: { newId: IdSource; clock: Clock }): Promise<string> {
  const known = await store.config.getSetting(WORKSPACE_SETTING);
  const id = known ?? deps.newId();
  const present = (await store.config.listWorkspaces()).find((row) => row.id === known);
  const first = { id, slug: 'default', name: 'Default', allowedAddresses: [], createdAtMs: deps.clock.now() };
  const workspace = present ?? (await store.config.ensureWorkspace(first));
  if (known === null) await store.config.setSetting(WORKSPACE_SETTING, workspace.id);
  const projects = await store.config.listProjects(workspace.id);
  if (!projects.some((project) => project.slug === 'default')) {
    await store.config.insertProject({
      id: deps.newId(),
      workspaceId: workspace.id,
      slug: 'default',
      name: 'Default',
      disconnectPolicy: 'abort',
      environment: 'production',
      createdAtMs: deps.clock.now(),
    });
  }
  return workspace.id;
}

/**
 * Opens what is built on the store: vault, prices, snapshot. Whoever opened the base closes it. `openAccess`, of a
 * server, settles which keys hold that nobody issued.
 * @throws MasterKeyError or AppError
 */
export async function openCore(
  base: Base,
  openAccess: (base: Base, workspaceId: string) => Promise<LocalAccess> = async () => NO_LOCAL_ACCESS,
): Promise<Core> {
  const { config, store, logger } = base;
  const parts = {
    storage: store.vault,
    settings: store.config,
    fromEnvironment: config.masterKey,
    ...masterKeyPlace(base, systemRandomBytes),
    nowMs: base.clock.now(),
    randomBytes: systemRandomBytes,
  };
  const { keyring, source, notices } = await openKeyring(parts);
  const { clock } = base;
  const wait = (ms: number) => sleep(ms, undefined, { ref: false });
  const untilKnown = () => (store.capabilities.multiProcess ? wait(KEY_KNOWN_AFTER_MS) : Promise.resolve());
  const keeper = createVaultKeeper({ ...parts, keyring, source, clock, untilKnown });
  const userHash = config.hashUserIds
    ? await openUserHash({ store, vault: keyring, randomBytes: systemRandomBytes })
    : null;
  const workspaceId = await ensureWorkspace(store, base);
  const access = await openAccess(base, workspaceId);
  const pooling = await openPooling({ store, config });
  const egressPolicy = createEgressPolicy({
    privateUpstreams: config.egressAllowPrivate,
    allowed: config.egressAllowHosts,
  });
  const egress = createEgress({ connectTimeoutMs: config.connectTimeoutMs, policy: egressPolicy });
  const oauth = createOauthAccounts({ ...base, vault: keyring, egress, states: pooling.states });
  const domains: DomainHolder = { current: null, problems: [] };
  const snapshot = await createSnapshotSource({
    store,
    pooling,
    oauth,
    domains: () => domains.current,
    config: store.config,
    vault: keyring,
    logger,
    openKeyId: access.openKeyId,
  });
  oauth.onChange(() => snapshot.refresh());
  const security = createSecurityMonitor(base.clock);
  const keyAddresses = createKeyAddressWatch({ audit: store.audit, monitor: security, clock, logger });
  notices.push(...access.notices, ...access.warnings.map(({ message }) => `WARNING: ${message}`));
  const limits = new LimitBook(new RateEngine(), store, settledLimits(config));
  const budgets = new BudgetBook({ store, clock, logger, wait });
  return {
    ...base,
    vault: keyring,
    userHash,
    keeper,
    egressPolicy,
    egress,
    snapshot,
    budgets,
    limits,
    pooling,
    oauth,
    domains,
    workspaceId,
    access,
    security,
    keyAddresses,
    notices,
    listening: [],
    liveWarnings: [() => [...access.warnings]],
  };
}

/** Random bytes of the system's generator. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);

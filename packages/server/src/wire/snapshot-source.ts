import { compilePriceBook, type PriceBook } from '../accounting/price-book.ts';
import { loadSnapshot } from '../accounting/price-snapshot.ts';
import { type AddressSet, createAddressSet } from '../kernel/address-set.ts';
import type { Logger } from '../kernel/logger.ts';
import { compileKeyLimits } from '../pipeline/key-limits.ts';
import {
  createSnapshot,
  type GateSnapshot,
  type KeyEntry,
  type SnapshotHolder,
} from '../pipeline/snapshot.ts';
import { type AccountReach, createReachOf } from '../pool/account-reach.ts';
import type { NamedPool, PoolAccount } from '../pool/pool.ts';
import { PAUSE_SETTING } from '../store/ports/incident.ts';
import type { PoolRow } from '../store/ports/pool.ts';
import type {
  ApiKeyRow,
  ConfigStore,
  PriceOverrideRow,
  ProjectRow,
  Store,
  WorkspaceRow,
} from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import { ADAPTERS } from './adapters.ts';
import { buildAccount } from './build-account.ts';
import { compileRules } from './compile-rules.ts';
import type { OauthAccounts } from './oauth.ts';
import type { Pooling } from './pool.ts';
import { TRANSLATORS } from './translators.ts';

export interface SnapshotSource extends SnapshotHolder {
  /** Reads the store and swaps the snapshot whole. Calls made while one runs share the next run. */
  refresh(): Promise<void>;
}

function clientsByWorkspace(workspaces: readonly WorkspaceRow[]): Map<string, AddressSet> {
  const limited = workspaces.filter(({ allowedAddresses }) => allowedAddresses.length > 0);
  return new Map(limited.map(({ id, allowedAddresses }) => [id, createAddressSet(allowedAddresses)]));
}

function keyEntries(
  keys: readonly ApiKeyRow[],
  projects: readonly ProjectRow[],
  parts: {
    reachOf: (key: ApiKeyRow) => AccountReach | null;
    clients: ReadonlyMap<string, AddressSet>;
  },
): Map<string, KeyEntry> {
  const byId = new Map(projects.map((project) => [project.id, project]));
  const entries = new Map<string, KeyEntry>();
  for (const key of keys) {
    const project = byId.get(key.projectId);
    if (key.revokedAtMs !== null || !project) continue;
    const entry: KeyEntry = {
      id: key.id,
      secretHash: key.keyHash,
      workspaceId: key.workspaceId,
      projectId: key.projectId,
      userId: key.userId,
      scopes: new Set(key.scopes),
      workspaceClients: parts.clients.get(key.workspaceId) ?? null,
      limits: compileKeyLimits(key.restrictions),
      reach: parts.reachOf(key),
      expiresAtMs: key.expiresAtMs,
      disconnectPolicy: project.disconnectPolicy,
    };
    entries.set(key.keyHash, entry);
    if (key.previous !== null) entries.set(key.previous.keyHash, previousEntry(entry, key.previous));
  }
  return entries;
}

/** The same key by the secret that a rotation replaced, for as long as that still works. */
function previousEntry(entry: KeyEntry, previous: NonNullable<ApiKeyRow['previous']>): KeyEntry {
  const endMs = Math.min(previous.expiresAtMs, entry.expiresAtMs ?? Number.POSITIVE_INFINITY);
  return { ...entry, secretHash: previous.keyHash, expiresAtMs: endMs };
}

/** The entry for callers without a key (NX-02): its row's own secret is known to nobody. */
function openEntry(entries: ReadonlyMap<string, KeyEntry>, keyId: string | null): KeyEntry | null {
  if (keyId === null) return null;
  for (const entry of entries.values()) if (entry.id === keyId) return entry;
  return null;
}

/** Compiling the book takes milliseconds, so it is kept while the overrides are the same. */
function createBookCache(): (overrides: readonly PriceOverrideRow[]) => PriceBook {
  const snapshot = loadSnapshot();
  let compiled: { fingerprint: string; book: PriceBook } | null = null;
  return (overrides) => {
    const fingerprint = JSON.stringify(overrides);
    if (compiled?.fingerprint !== fingerprint)
      compiled = { fingerprint, book: compilePriceBook(snapshot, overrides) };
    return compiled.book;
  };
}

/** Pools by id. */
function namedPools(rows: readonly PoolRow[]): Map<string, NamedPool> {
  return new Map(
    rows.map(({ id, name, strategy, accountIds }) => [
      id,
      { id, name, strategy, accountIds: new Set(accountIds) },
    ]),
  );
}

/** Builds snapshots from the store, the first one before this resolves. */
export async function createSnapshotSource(deps: {
  config: ConfigStore;
  vault: Vault;
  logger: Logger;
  /** Key that stands for callers without one; null when every caller needs a key. */
  openKeyId?: string | null;
  store: Pick<Store, 'pool' | 'rules'>;
  pooling: Pooling;
  oauth: OauthAccounts;
  /** Workspaces by host name; null when no domain has one of its own. */
  domains(): ReadonlyMap<string, string> | null;
}): Promise<SnapshotSource> {
  const bookFor = createBookCache();

  async function build(): Promise<GateSnapshot> {
    const { config, vault, logger } = deps;
    const { states, upstreams, pool } = deps.pooling;
    // One after the other: side by side they would start more of the store's threads than a small read is worth.
    const projects = await config.listProjects(null);
    const keys = await config.listKeys(null);
    const workspaces = await config.listWorkspaces();
    const rows = await config.listAccounts(null);
    const overrides = await config.listPriceOverrides();
    const pools = namedPools(await deps.store.pool.listPools(null));
    const rules = compileRules(await deps.store.rules.listRules(null), logger);
    const sources = await deps.oauth.load(rows);
    const accounts: PoolAccount[] = [];
    for (const row of rows) {
      const source = sources.get(row.id) ?? null;
      const account = buildAccount(row, ADAPTERS, { vault, states, upstreams, source });
      if (account) accounts.push(account);
      else
        logger.warn('account of an unknown provider is not used', {
          accountId: row.id,
          provider: row.provider,
        });
    }
    const paused = (await config.getSetting(PAUSE_SETTING)) !== null;
    states.keepOnly(new Set(rows.map((row) => row.id)));
    upstreams.keepOnly(new Set(accounts.map((account) => account.target.origin)));
    pool.keepPools(new Set(pools.keys()));
    const prices = bookFor(overrides);
    const modelKnown = (provider: string, model: string): boolean =>
      prices.resolve(provider, model).card !== null;
    const reach = { reachOf: createReachOf(accounts), clients: clientsByWorkspace(workspaces) };
    const entries = keyEntries(keys, projects, reach);
    const open = openEntry(entries, deps.openKeyId ?? null);
    const domains = deps.domains();
    return createSnapshot(
      { keys: entries, open, accounts, pools, rules, prices, paused, domains },
      modelKnown,
      TRANSLATORS,
    );
  }

  let current = await build();
  let running: Promise<void> | null = null;
  let waiting: Promise<void> | null = null;

  function start(): Promise<void> {
    running = build()
      .then((snapshot) => {
        current = snapshot;
      })
      .finally(() => {
        running = null;
      });
    return running;
  }

  /** A run under way may have read the store before the caller's write: the caller waits for the next one. */
  function afterRunning(current: Promise<void>): Promise<void> {
    waiting ??= current
      .catch(() => undefined)
      .then(() => {
        waiting = null;
        return start();
      });
    return waiting;
  }

  return {
    current: () => current,
    refresh: () => (running === null ? start() : afterRunning(running)),
  };
}

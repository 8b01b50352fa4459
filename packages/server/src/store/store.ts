import type { KeyRestrictions, KeyScope } from '@tallygate/contract/api/keys';
import type { DisconnectPolicy, Environment } from '@tallygate/contract/api/projects';
import type { UsageGroup } from '@tallygate/contract/api/usage';
import type { RequestStatus, TokenCounts } from '@tallygate/contract/usage';
import type { UsageEvent } from '../accounting/usage-event.ts';
import type { JournalPosition } from '../journal/journal.ts';
import type { AlertStore } from './ports/alerts.ts';
import type { AuditStore } from './ports/audit.ts';
import type { BudgetStore } from './ports/budgets.ts';
import type { IncidentStore } from './ports/incident.ts';
import type { JobStore } from './ports/jobs.ts';
import type { LeaseStore } from './ports/leases.ts';
import type { LimitStore } from './ports/limits.ts';
import type { MaintenanceStore } from './ports/maintenance.ts';
import type { NodeStore } from './ports/nodes.ts';
import type { OauthStore } from './ports/oauth.ts';
import type { PasskeyStore } from './ports/passkeys.ts';
import type { PeopleStore } from './ports/people.ts';
import type { PoolStore } from './ports/pool.ts';
import type { RuleStore } from './ports/rules.ts';
import type { SsoStore } from './ports/sso.ts';
import type { VaultStore } from './ports/vault.ts';

/** What an engine can do; shared code asks these, never the engine's name. */
export interface StoreCapabilities {
  /** Shown to people and in `db.kind`; nothing branches on it. */
  kind: string;
  /** Other processes may use the same store at the same time. */
  multiProcess: boolean;
}

/** What belongs to one workspace and to no other: a row is found by both, or not at all. */
export interface OwnedRef {
  id: string;
  workspaceId: string;
}
export interface WorkspaceRow {
  id: string;
  slug: string;
  name: string;
  /** Addresses and ranges its people and keys may come from; empty for any. */
  allowedAddresses: string[];
  createdAtMs: number;
}
export interface ProjectRow {
  id: string;
  workspaceId: string;
  slug: string;
  name: string;
  disconnectPolicy: DisconnectPolicy;
  environment: Environment;
  createdAtMs: number;
}
export interface ApiKeyRow {
  id: string;
  workspaceId: string;
  projectId: string;
  /** The person whose key it is; null for nobody's in particular. */
  userId: string | null;
  name: string;
  prefix: string;
  /** SHA-256 of the whole key, lower-case hex. */
  keyHash: string;
  scopes: KeyScope[];
  createdAtMs: number;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
  lastUsedAtMs: number | null;
  /** `issued` by this installation; `environment` from a variable (TW-06); `open` stands for callers without a key (NX-02). */
  kind: 'issued' | 'environment' | 'open';
  /** Null when nothing limits the key. */
  restrictions: KeyRestrictions | null;
  rotatedAtMs: number | null;
  /** The secret the last rotation replaced, and how long it still works; null when there is none. */
  previous: { keyHash: string; prefix: string; expiresAtMs: number } | null;
}
export interface AccountRow {
  id: string;
  workspaceId: string;
  name: string;
  provider: string;
  preset: string | null;
  baseUrl: string;
  /** Vault text, context `{table:'account', row:id, column:'credential'}`; null when the upstream takes none. */
  sealedCredential: string | null;
  credentialHint: string | null;
  allowPrivateUpstream: boolean;
  /** SHA-256 of the public keys its upstream may have, in base64; empty takes any that its certificate vouches for. */
  pinSha256: string[];
  models: string[];
  priority: number;
  weight: number;
  /** Size of its plan compared with the others: its share is weight times tier. */
  tier: number;
  notes: string | null;
  /** `project:ID` and `key:ID` of those it serves; empty serves everybody. */
  boundTo: string[];
  paused: boolean;
  createdAtMs: number;
  lastUsedAtMs: number | null;
}
export interface UserRow {
  id: string;
  username: string;
  passwordHash: string;
  createdAtMs: number;
  /** Set while the user may not sign in. */
  disabledAtMs: number | null;
}
/** What a user is in a workspace. */
export interface MembershipRow {
  userId: string;
  workspaceId: string;
  /** Name of a built-in role or of a custom one. */
  role: string;
  createdAtMs: number;
}
/** What somebody proved who they are with. `link`: a one-time link. */
export type SignInMethod = 'password' | 'link' | 'passkey' | 'sso';

export interface SessionRow {
  /** SHA-256 of the cookie value, lower-case hex. */
  idHash: string;
  userId: string;
  /** SHA-256 of the CSRF token bound to this session. */
  csrfHash: string;
  createdAtMs: number;
  lastSeenAtMs: number;
  expiresAtMs: number;
  address: string | null;
  userAgent: string | null;
  /** Null once signed in; before, how many tries at the second factor are left. */
  secondFactorTries: number | null;
  /** What began it; null where an earlier version did. */
  method: SignInMethod | null;
  /** The workspace that was chosen last; null until somebody chose. */
  workspaceId: string | null;
}
export interface PriceOverrideRow {
  id: string;
  provider: string;
  model: string;
  validFromMs: number | null;
  validToMs: number | null;
  /** Rates in pico-USD per token as decimal integer text, keyed by bucket. */
  ratesPicoUsd: Record<string, string>;
  note: string | null;
  createdAtMs: number;
}

/**
 * Everything small that the in-memory snapshot is built from. Every write is one transaction. Lists are those of one
 * workspace, or with null of all of them, which is for the server itself and for acts on the whole installation;
 * changes name the workspace too, so that an id of another one changes nothing.
 */
export interface ConfigStore {
  ensureWorkspace(row: WorkspaceRow): Promise<WorkspaceRow>;
  /** Oldest first. */
  listWorkspaces(): Promise<WorkspaceRow[]>;
  /** Stores a workspace with its first project. @throws AppError `name_taken` when the slug exists. */
  insertWorkspace(row: WorkspaceRow, project: ProjectRow): Promise<void>;
  updateWorkspace(
    id: string,
    change: Partial<Pick<WorkspaceRow, 'name' | 'allowedAddresses'>>,
  ): Promise<boolean>;
  listProjects(workspaceId: string | null): Promise<ProjectRow[]>;
  /** @throws AppError `name_taken` when the slug exists in the workspace. */
  insertProject(row: ProjectRow): Promise<void>;
  updateProject(
    ref: OwnedRef,
    change: Partial<Pick<ProjectRow, 'name' | 'disconnectPolicy' | 'environment'>>,
  ): Promise<boolean>;
  listKeys(workspaceId: string | null): Promise<ApiKeyRow[]>;
  insertKey(row: ApiKeyRow): Promise<void>;
  updateKey(
    ref: OwnedRef,
    change: Partial<Pick<ApiKeyRow, 'name' | 'revokedAtMs' | 'expiresAtMs' | 'restrictions' | 'userId'>>,
  ): Promise<boolean>;
  /** Gives the key another secret; false when it is not there or its secret is no longer `from`: somebody else rotated it. */
  rotateKey(
    ref: OwnedRef,
    from: string,
    change: Pick<ApiKeyRow, 'keyHash' | 'prefix' | 'rotatedAtMs' | 'previous'>,
  ): Promise<boolean>;
  listAccounts(workspaceId: string | null): Promise<AccountRow[]>;
  /** @throws AppError `name_taken` when the name exists in the workspace. */
  insertAccount(row: AccountRow): Promise<void>;
  updateAccount(
    ref: OwnedRef,
    change: Partial<Omit<AccountRow, 'id' | 'workspaceId' | 'provider' | 'createdAtMs'>>,
  ): Promise<boolean>;
  /** Ledger rows keep the id; the row is gone. */
  deleteAccount(ref: OwnedRef): Promise<boolean>;
  listPriceOverrides(): Promise<PriceOverrideRow[]>;
  insertPriceOverride(row: PriceOverrideRow): Promise<void>;
  deletePriceOverride(id: string): Promise<boolean>;
  getSetting(name: string): Promise<string | null>;
  setSetting(name: string, value: string): Promise<void>;
  /** Stores the value where none is; returns the one that stands, also when several nodes try at once. */
  ensureSetting(name: string, value: string): Promise<string>;
  /**
   * Numbers that rise with every committed change: `config` with what nodes keep in memory (projects, keys, accounts,
   * prices, settings, budgets), `ledger` with every row.
   */
  readTurns(): Promise<{ config: number; ledger: number }>;
}

export interface IdentityStore {
  countUsers(): Promise<number>;
  /** Inserts the first user and nothing when one exists; true when inserted (two racing set-ups: one wins). */
  insertFirstUser(row: UserRow, member: Pick<MembershipRow, 'workspaceId' | 'role'>): Promise<boolean>;
  /**
   * Gives users whom an older program made beside this one a name to compare by; one that somebody has already gets a
   * number. Who was renamed stands in the setting `users_renamed`.
   */
  foldUsernames(): Promise<void>;
  /** Case makes no difference, but for a user whom an older program made since the last start. */
  findUserByName(username: string): Promise<UserRow | null>;
  findUser(id: string): Promise<UserRow | null>;
  updatePassword(userId: string, passwordHash: string): Promise<void>;
  insertSession(row: SessionRow): Promise<void>;
  findSession(idHash: string): Promise<SessionRow | null>;
  touchSession(idHash: string, lastSeenAtMs: number): Promise<void>;
  chooseWorkspace(idHash: string, workspaceId: string): Promise<void>;
  replaceSessionCsrf(idHash: string, csrfHash: string): Promise<void>;
  deleteSession(idHash: string): Promise<void>;
  deleteSessionsOf(userId: string): Promise<void>;
  deleteExpiredSessions(nowMs: number): Promise<number>;
}

/** Progress of one node's journal in the store; committed with the rows it stands for, which makes them exactly once. */
export interface LedgerCheckpoint {
  nodeId: string;
  /** Everything before this is in the store. */
  committed: JournalPosition;
  /** Lowest segment that still holds the opened entry of an unsettled request. */
  lowWaterSegment: number;
}

export interface LedgerStore {
  /** Of how many rows a commit is best made: enough that it costs little for each, few enough to hold in hand. */
  readonly rowsPerCommit: number;
  readCheckpoint(nodeId: string): Promise<LedgerCheckpoint | null>;
  /**
   * One transaction: rows not yet present (by id), their attempts and tags, hourly and daily rollups of exactly
   * those rows, last-used times of keys and accounts, and the checkpoint. Returns how many rows were new.
   */
  commit(events: readonly UsageEvent[], checkpoint: LedgerCheckpoint): Promise<{ inserted: number }>;
}

export interface UsageFilter {
  /** Null asks about the whole installation. */
  workspaceId: string | null;
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  projectIds?: string[];
  apiKeyIds?: string[];
  userIds?: string[];
  models?: string[];
  providers?: string[];
  accountIds?: string[];
  statuses?: RequestStatus[];
  /** Forces raw rows. */
  tags?: string[];
}

export interface UsageSumsRow {
  /** Requests as clients made them: a sub-call adds tokens and cost to the sums, but is no request and no error. */
  requests: number;
  /** `client_error`, `upstream_error`, `timeout` and `rejected`. */
  errors: number;
  unpricedRequests: number;
  unpricedTokens: number;
  estimatedRequests: number;
  interruptedRequests: number;
  costNanoUsd: bigint;
  /** Unknown buckets count as nothing here; how many rows were unknown is `estimated`/`interrupted`. */
  tokens: Record<keyof TokenCounts, number>;
  weightedTokens: number;
  /** Log-spaced histogram bins (see `accounting/latency-histogram`) → count. */
  latencyBins: Map<number, number>;
  ttftBins: Map<number, number>;
}

export type UsageSource = 'auto' | 'rollups' | 'rows';
export interface TimeseriesPoint extends UsageSumsRow {
  bucketStartMs: number;
  groupKey: string | null;
  /** Set on the points that sum the groups beyond the top: how many groups over the whole range. */
  restGroups?: number;
}
/** The `top` groups by cost, then weighted tokens, each apart, and the others in one: few points from many groups. */
export interface TopGroups {
  by: UsageGroup;
  top: number;
}
/** Its histograms are empty: percentiles are asked of totals and series, and cost as much as the sums. */
export interface BreakdownRow extends UsageSumsRow {
  groupKey: string | null;
}

/** `null` cursor starts at the newest. Order: newest start first, ties by ledger sequence. */
export interface RequestPageQuery extends Omit<UsageFilter, 'fromMs' | 'toMs'> {
  fromMs?: number;
  toMs?: number;
  sessionIds?: string[];
  limit: number;
  cursor: string | null;
}

/** A ledger row as read back; `ledgerSeq` grows in commit order and numbers the live feed. */
export type StoredEvent = UsageEvent & { ledgerSeq: number };

/**
 * `source` picks where sums come from: `rollups` or raw `rows`; `auto` uses rollups for whole hours and rows for
 * the ragged ends, for minute steps and for tag filters. Every choice gives equal figures (TW-21).
 */
export interface UsageQueries {
  totals(filter: UsageFilter, source?: UsageSource): Promise<UsageSumsRow>;
  timeseries(
    filter: UsageFilter,
    step: 'minute' | 'hour' | 'day',
    group: UsageGroup | TopGroups | null,
    source?: UsageSource,
  ): Promise<TimeseriesPoint[]>;
  /** @param times also fills the histograms, which cost as much as the sums */
  breakdown(
    filter: UsageFilter,
    group: UsageGroup,
    source?: UsageSource,
    times?: boolean,
  ): Promise<BreakdownRow[]>;
  requests(query: RequestPageQuery): Promise<{ events: StoredEvent[]; nextCursor: string | null }>;
  /** With attempts; null when unknown, or of another workspace. */
  request(id: string, workspaceId: string | null): Promise<StoredEvent | null>;
  children(parentId: string): Promise<StoredEvent[]>;
  /** The rows of these requests and of their sub-calls, without attempts; in no order. */
  rowsOfRequests(ids: readonly string[]): Promise<StoredEvent[]>;
  /** Rows committed after `ledgerSeq`, in commit order: the live feed and its resume. */
  committedAfter(ledgerSeq: number, limit: number): Promise<StoredEvent[]>;
  lastLedgerSeq(): Promise<number>;
}

export interface Store {
  readonly capabilities: StoreCapabilities;
  /** Applies pending migrations under a lock. @throws Error when the schema is newer than this program or a migration fails (nothing changed). */
  migrate(): Promise<{ applied: string[]; schemaVersion: number }>;
  schemaVersion(): Promise<number>;
  ping(): Promise<void>;
  readonly config: ConfigStore;
  readonly identity: IdentityStore;
  readonly people: PeopleStore;
  readonly passkeys: PasskeyStore;
  readonly sso: SsoStore;
  readonly ledger: LedgerStore;
  readonly usage: UsageQueries;
  readonly maintenance: MaintenanceStore;
  readonly audit: AuditStore;
  readonly incident: IncidentStore;
  readonly vault: VaultStore;
  readonly budgets: BudgetStore;
  readonly limits: LimitStore;
  readonly pool: PoolStore;
  readonly rules: RuleStore;
  readonly alerts: AlertStore;
  readonly oauth: OauthStore;
  readonly leases: LeaseStore;
  readonly nodes: NodeStore;
  readonly jobs: JobStore;
  /** Several reads of one moment, which begins with the first of them; null where one process has the store for itself. */
  readonly atOneMoment: AtOneMoment | null;
  close(): Promise<void>;
}

export type LedgerSnapshot = Pick<Store, 'usage' | 'budgets'>;

export type AtOneMoment = <T>(work: (reads: LedgerSnapshot) => Promise<T>) => Promise<T>;

/** One per engine folder. */
export interface StoreEngine {
  readonly kind: string;
  /** URL schemes this engine opens, such as `sqlite`. */
  readonly schemes: readonly string[];
  /** Loads what `open` with this role will need, for a thread that has to wait before it may open. */
  preload?(role: 'main' | 'ledger'): Promise<void>;
  /** `role: 'ledger'` is the ledger's own thread: the engine may open its connection in that thread directly. */
  open(url: string, options: { role: 'main' | 'ledger' }): Promise<Store>;
  /**
   * SQL that makes a role for a running server, which may read and write rows and change no table. Engines without
   * roles have none. @throws AppError `invalid_request`
   */
  leastRoleSql?(url: string, asked: { role: string; schema: string }): string;
  /** Restores a backup file into an empty or new store and verifies equal totals. @throws AppError `conflict` when the target holds events. */
  restore(url: string, backupPath: string): Promise<{ events: number; costNanoUsd: bigint }>;
}

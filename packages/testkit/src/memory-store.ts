import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { addToBin, binOf } from '@tallygate/server/accounting/latency-histogram';
import { ERROR_STATUSES } from '@tallygate/server/accounting/rollup';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import { AppError } from '@tallygate/server/kernel/errors';
import type {
  AccountRow,
  ApiKeyRow,
  LedgerCheckpoint,
  PriceOverrideRow,
  ProjectRow,
  RequestPageQuery,
  SessionRow,
  Store,
  StoredEvent,
  UsageFilter,
  UsageSumsRow,
  UserRow,
  WorkspaceRow,
} from '@tallygate/server/store/store';

function zero(): UsageSumsRow {
  return {
    requests: 0,
    errors: 0,
    unpricedRequests: 0,
    unpricedTokens: 0,
    estimatedRequests: 0,
    interruptedRequests: 0,
    costNanoUsd: 0n,
    tokens: Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 0])) as UsageSumsRow['tokens'],
    weightedTokens: 0,
    latencyBins: new Map(),
    ttftBins: new Map(),
  };
}

function add(sums: UsageSumsRow, event: StoredEvent): UsageSumsRow {
  sums.requests += event.parentId === null ? 1 : 0;
  sums.errors += ERROR_STATUSES.includes(event.status) ? 1 : 0;
  sums.unpricedRequests += event.priceStatus === 'unpriced' ? 1 : 0;
  sums.estimatedRequests += event.settleStatus === 'estimated' ? 1 : 0;
  sums.interruptedRequests += event.settleStatus === 'interrupted' ? 1 : 0;
  sums.costNanoUsd += event.costNanoUsd ?? 0n;
  for (const bucket of TOKEN_BUCKETS) sums.tokens[bucket] += event.tokens[bucket] ?? 0;
  sums.weightedTokens += event.weightedTokens ?? 0;
  if (event.latencyMs !== null) addToBin(sums.latencyBins, binOf(event.latencyMs), 1);
  if (event.ttftMs !== null) addToBin(sums.ttftBins, binOf(event.ttftMs), 1);
  return sums;
}

const STEP = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const COLUMN = {
  project: 'projectId',
  key: 'apiKeyId',
  model: 'modelServed',
  provider: 'provider',
  account: 'accountId',
  status: 'status',
  source: 'source',
} as const;

/** A store in memory, for tests of what stands on the port while no engine is needed. */
export function createMemoryStore(): Store & { events: StoredEvent[] } {
  const workspaces: WorkspaceRow[] = [];
  const projects: ProjectRow[] = [];
  const keys: ApiKeyRow[] = [];
  const accounts: AccountRow[] = [];
  const overrides: PriceOverrideRow[] = [];
  const settings = new Map<string, string>();
  const users: UserRow[] = [];
  const sessions = new Map<string, SessionRow>();
  const events: StoredEvent[] = [];
  const checkpoints = new Map<string, LedgerCheckpoint>();

  function change<T extends { id: string }>(list: T[], id: string, fields: object): boolean {
    const row = list.find((candidate) => candidate.id === id);
    if (row) Object.assign(row, fields);
    return row !== undefined;
  }
  function remove<T extends { id: string }>(list: T[], id: string): boolean {
    const index = list.findIndex((row) => row.id === id);
    if (index >= 0) list.splice(index, 1);
    return index >= 0;
  }
  const matching = (filter: Partial<UsageFilter>): StoredEvent[] =>
    events.filter(
      (event) =>
        event.startedAtMs >= (filter.fromMs ?? 0) &&
        event.startedAtMs < (filter.toMs ?? Number.POSITIVE_INFINITY) &&
        (filter.projectIds?.includes(event.projectId) ?? true) &&
        (filter.apiKeyIds?.includes(event.apiKeyId ?? '') ?? true) &&
        (filter.models?.includes(event.modelServed ?? '') ?? true) &&
        (filter.providers?.includes(event.provider) ?? true) &&
        (filter.accountIds?.includes(event.accountId ?? '') ?? true) &&
        (filter.statuses?.includes(event.status) ?? true) &&
        (filter.tags?.some((tag) => event.tags.includes(tag)) ?? true),
    );

  return {
    events,
    capabilities: { kind: 'memory', multiProcess: false },
    migrate: async () => ({ applied: [], schemaVersion: 1 }),
    schemaVersion: async () => 1,
    ping: async () => {},
    close: async () => {},
    config: {
      async ensureWorkspace(row) {
        if (workspaces.length === 0) workspaces.push(row);
        return workspaces[0] ?? row;
      },
      listProjects: async () => structuredClone(projects),
      async insertProject(row) {
        if (projects.some((project) => project.slug === row.slug)) throw new AppError('name_taken');
        projects.push({ ...row });
      },
      updateProject: async (id, fields) => change(projects, id, fields),
      listKeys: async () => structuredClone(keys),
      insertKey: async (row) => void keys.push({ ...row }),
      updateKey: async (id, fields) => change(keys, id, fields),
      listAccounts: async () => structuredClone(accounts),
      async insertAccount(row) {
        if (accounts.some((account) => account.name === row.name)) throw new AppError('name_taken');
        accounts.push({ ...row });
      },
      updateAccount: async (id, fields) => change(accounts, id, fields),
      deleteAccount: async (id) => remove(accounts, id),
      listPriceOverrides: async () => structuredClone(overrides),
      insertPriceOverride: async (row) => void overrides.push({ ...row }),
      deletePriceOverride: async (id) => remove(overrides, id),
      getSetting: async (name) => settings.get(name) ?? null,
      setSetting: async (name, value) => void settings.set(name, value),
    },
    identity: {
      countUsers: async () => users.length,
      async insertFirstUser(row) {
        if (users.length > 0) return false;
        users.push({ ...row });
        return true;
      },
      findUserByName: async (username) => users.find((user) => user.username === username) ?? null,
      findUser: async (id) => users.find((user) => user.id === id) ?? null,
      updatePassword: async (id, passwordHash) => void change(users, id, { passwordHash }),
      insertSession: async (row) => void sessions.set(row.idHash, { ...row }),
      findSession: async (idHash) => structuredClone(sessions.get(idHash)) ?? null,
      async touchSession(idHash, lastSeenAtMs) {
        const row = sessions.get(idHash);
        if (row) row.lastSeenAtMs = lastSeenAtMs;
      },
      async replaceSessionCsrf(idHash, csrfHash) {
        const row = sessions.get(idHash);
        if (row) row.csrfHash = csrfHash;
      },
      deleteSession: async (idHash) => void sessions.delete(idHash),
      async deleteSessionsOf(userId) {
        for (const [hash, row] of sessions) if (row.userId === userId) sessions.delete(hash);
      },
      async deleteExpiredSessions(nowMs) {
        const old = [...sessions.values()].filter((row) => row.expiresAtMs <= nowMs);
        for (const row of old) sessions.delete(row.idHash);
        return old.length;
      },
    },
    ledger: {
      readCheckpoint: async (nodeId) => checkpoints.get(nodeId) ?? null,
      async commit(batch: readonly UsageEvent[], checkpoint) {
        const fresh = batch.filter((event) => !events.some((known) => known.id === event.id));
        for (const event of fresh) events.push({ ...structuredClone(event), ledgerSeq: events.length + 1 });
        checkpoints.set(checkpoint.nodeId, checkpoint);
        return { inserted: fresh.length };
      },
    },
    usage: {
      totals: async (filter) => matching(filter).reduce(add, zero()),
      async timeseries(filter, step, group) {
        const points = new Map<string, UsageSumsRow & { bucketStartMs: number; groupKey: string | null }>();
        for (const event of matching(filter)) {
          const bucketStartMs = Math.floor(event.startedAtMs / STEP[step]) * STEP[step];
          const groupKey = group === null ? null : event[COLUMN[group]];
          const key = `${bucketStartMs} ${groupKey}`;
          const point = points.get(key) ?? { ...zero(), bucketStartMs, groupKey };
          add(point, event);
          points.set(key, point);
        }
        return [...points.values()];
      },
      async breakdown(filter, group) {
        const rows = new Map<string | null, UsageSumsRow & { groupKey: string | null }>();
        for (const event of matching(filter)) {
          const groupKey = event[COLUMN[group]];
          const row = rows.get(groupKey) ?? { ...zero(), groupKey };
          add(row, event);
          rows.set(groupKey, row);
        }
        return [...rows.values()];
      },
      async requests(query: RequestPageQuery) {
        if (query.cursor !== null && !/^\d+-\d+$/.test(query.cursor)) throw new AppError('invalid_request');
        const [startMs = Number.POSITIVE_INFINITY, seq = Number.POSITIVE_INFINITY] = (
          query.cursor?.split('-') ?? []
        ).map(Number);
        const rows = matching(query)
          .sort((a, b) => b.startedAtMs - a.startedAtMs || b.ledgerSeq - a.ledgerSeq)
          .filter((e) => e.startedAtMs < startMs || (e.startedAtMs === startMs && e.ledgerSeq < seq));
        const page = rows.slice(0, query.limit);
        return {
          events: structuredClone(page),
          nextCursor:
            rows.length > page.length ? `${page.at(-1)?.startedAtMs}-${page.at(-1)?.ledgerSeq}` : null,
        };
      },
      request: async (id) => structuredClone(events.find((event) => event.id === id)) ?? null,
      children: async (parentId) => events.filter((event) => event.parentId === parentId),
      committedAfter: async (seq, limit) => events.filter((event) => event.ledgerSeq > seq).slice(0, limit),
      lastLedgerSeq: async () => events.length,
    },
    maintenance: {
      rebuildRollups: async (fromMs, toMs) => ({
        fromMs: fromMs ?? 0,
        toMs: toMs ?? 0,
        events: events.length,
        rollupRows: 0,
      }),
      verifyRollups: async () => ({ bucketsChecked: 0, differences: [] }),
      backup: async () => ({ bytes: 1, events: events.length, costNanoUsd: 0n }),
    },
  };
}

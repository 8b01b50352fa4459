import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountView } from '@tallygate/contract/api/accounts';
import type { ApiKeyCreated, KeyScope } from '@tallygate/contract/api/keys';
import { poolStrategySchema } from '@tallygate/contract/api/pool';
import { compilePriceBook } from '@tallygate/server/accounting/price-book';
import { loadSnapshot } from '@tallygate/server/accounting/price-snapshot';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import type { Names } from '@tallygate/server/admin/names';
import { requestDetailView, requestView } from '@tallygate/server/admin/requests/request-view';
import { createEgress } from '@tallygate/server/egress/egress';
import { createEgressPolicy } from '@tallygate/server/egress/egress-policy';
import { createDataRoutes } from '@tallygate/server/http/data-routes';
import { createDispatch, createHttpServer } from '@tallygate/server/http/listener';
import { ENTRY_SETTLED } from '@tallygate/server/journal/journal';
import { openJournal } from '@tallygate/server/journal/open-journal';
import { JOURNAL_START } from '@tallygate/server/journal/position';
import { readJournal } from '@tallygate/server/journal/read-journal';
import { systemClock } from '@tallygate/server/kernel/clock';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { createLogger } from '@tallygate/server/kernel/logger';
import { Secret } from '@tallygate/server/kernel/secret';
import { decodeSettled } from '@tallygate/server/ledger/journal-entries';
import { BudgetEngine } from '@tallygate/server/limits/budget-engine';
import { RateEngine } from '@tallygate/server/limits/rate-engine';
import type { RateLimit } from '@tallygate/server/limits/rate-limit';
import { createInputRatios } from '@tallygate/server/pipeline/counting/input-ratios';
import { createGateway } from '@tallygate/server/pipeline/gateway';
import { compileKeyLimits } from '@tallygate/server/pipeline/key-limits';
import { createModelLists } from '@tallygate/server/pipeline/local/model-lists';
import { createGatewayMetrics } from '@tallygate/server/pipeline/metrics';
import { createSnapshot, type GateSnapshot, type KeyEntry } from '@tallygate/server/pipeline/snapshot';
import { createTokenRatio } from '@tallygate/server/pipeline/translation/token-ratio';
import { createAccountPool } from '@tallygate/server/pool/account-pool';
import { AccountStates } from '@tallygate/server/pool/account-state';
import { compileModelPatterns, type NamedPool, type PoolAccount } from '@tallygate/server/pool/pool';
import { UpstreamStates } from '@tallygate/server/pool/upstream-state';
import { compileRule } from '@tallygate/server/rules/compile-rule';
import type { Rule } from '@tallygate/server/rules/rule';
import {
  ADAPTERS,
  ERROR_RENDERERS,
  LIMIT_HEADERS,
  UTILISATION_PREFIXES,
} from '@tallygate/server/wire/adapters';
import { adapterOf, signerFor, splitBaseUrl } from '@tallygate/server/wire/build-account';
import { TRANSLATORS } from '@tallygate/server/wire/translators';
import { Registry } from 'prom-client';
import { eventually } from './eventually.ts';
import { type AccountSpec, fullRestrictions, type Gate, type GateOptions, type KeySpec } from './harness.ts';

const MIB = 1024 * 1024;

function needsProcess(): never {
  throw new Error('the data plane alone has no administrative API: use startGate');
}

/** What the parts hold for requests that are on their way: nothing, once there are none. */
export interface Held {
  requests: number;
  /** Attempts that accounts count as under way. */
  attempts: number;
  /** Places of a limit on what runs at once. */
  slots: number;
  /** Upstream connections that do or await something. */
  sockets: number;
}

export interface PlaneGate extends Gate {
  held(): Promise<Held>;
}

/** Wide enough to refuse nothing: it is there to be counted. */
const SLOTS: RateLimit = {
  ...{ id: 'slots', workspaceId: null, name: 'slots', scope: [], per: 'all', measure: 'concurrent_requests' },
  ...{ limit: 1_000_000, windowMs: null, burst: null },
};

/** Wide as well: what a call can come to is reckoned for it. */
const TOKENS: RateLimit = {
  ...{ id: 'tokens', workspaceId: null, name: 'tokens', scope: [], per: 'all', measure: 'tokens' },
  ...{ limit: 1_000_000_000_000, windowMs: 60_000, burst: null },
};

const NAMES: Names = {
  project: (id: string) => ({ id, slug: id }),
  key: (id: string | null) => (id === null ? null : { id, name: id }),
  account: (id: string | null) => (id === null ? null : { id, name: id }),
  projectId: (idOrSlug) => idOrSlug,
  projectsIn: () => [],
  knows: () => true,
  label: (_group, key) => key ?? '(none)',
};

const PLACES = { pools: new Map<string, string>(), rules: new Map<string, string>() };

/** Accounts and keys in memory, and the snapshot made of them. */
class Configuration {
  readonly keys = new Map<string, KeyEntry>();
  readonly accounts: PoolAccount[] = [];
  readonly states = new AccountStates();
  readonly upstreams = new UpstreamStates();
  readonly pools = new Map<string, NamedPool>();
  readonly rules: ReadonlyMap<string, readonly Rule[]> | null;
  readonly prices = compilePriceBook(loadSnapshot(), []);
  readonly drainProjects: ReadonlySet<string>;
  #snapshot: GateSnapshot;

  constructor(options: GateOptions) {
    const drains = (options.projects ?? []).filter((project) => project.disconnectPolicy === 'drain');
    this.drainProjects = new Set(drains.map(({ slug }) => slug));
    const rules = options.rules?.map((rule, i) => compileRule({ id: `rule-${i}`, ...rule }));
    this.rules = rules === undefined ? null : new Map([['workspace', rules]]);
    this.#snapshot = this.build();
  }

  build(): GateSnapshot {
    const { keys, prices } = this;
    const accounts = [...this.accounts];
    this.#snapshot = createSnapshot(
      { keys, accounts, pools: this.pools, rules: this.rules, prices, paused: false },
      (provider, model) => prices.resolve(provider, model).card !== null,
      TRANSLATORS,
    );
    return this.#snapshot;
  }
  current = (): GateSnapshot => this.#snapshot;

  addAccount(spec: AccountSpec, allowPrivate = true): PoolAccount {
    const adapter = adapterOf(spec, ADAPTERS);
    if (!adapter) throw new Error(`no adapter ${spec.provider}`);
    const { origin, basePath, baseQuery } = splitBaseUrl(spec.baseUrl);
    const credential = new Secret(spec.apiKey ?? 'sk-upstream');
    const account: PoolAccount = {
      id: `account-${this.accounts.length}`,
      workspaceId: 'workspace',
      name: spec.name ?? spec.provider,
      adapter,
      preset: spec.preset ?? null,
      priceProvider: adapter.priceProvider,
      target: { origin, allowPrivate },
      basePath,
      baseQuery,
      credentialHeaders: adapter.credentialHeaders(credential).flat(),
      authorizer: signerFor(adapter, credential),
      flavors: new Set(adapter.routes.map(({ flavor }) => flavor)),
      models: compileModelPatterns(spec.models ?? []),
      modelNames: (spec.models ?? []).filter((name) => !name.includes('*')),
      priority: spec.priority ?? 100,
      share: spec.weight ?? 1,
      boundTo: [],
      state: this.states.of(`account-${this.accounts.length}`),
      upstream: this.upstreams.of(origin),
      paused: false,
      createdAtMs: this.accounts.length,
    };
    this.accounts.push(account);
    for (const pool of spec.pools ?? []) this.#join(pool, account.id);
    this.build();
    return account;
  }

  /** Pools are named by the accounts in them; a pool's id is its name. */
  #join(name: string, accountId: string): void {
    const members = this.pools.get(name)?.accountIds ?? [];
    const accountIds = new Set([...members, accountId]);
    this.pools.set(name, { id: name, name, strategy: 'priority', accountIds });
  }

  addKey(spec: KeySpec): ApiKeyCreated {
    const key = `tg_${randomBytes(32).toString('base64url')}`;
    const { name = 'key', project = 'default', scopes = ['gateway'] } = spec;
    const id = `key-${this.keys.size}`;
    const secretHash = hash('sha256', key, 'hex');
    this.keys.set(secretHash, {
      id,
      secretHash,
      workspaceId: 'workspace',
      projectId: project,
      userId: null,
      workspaceClients: null,
      scopes: new Set(scopes as KeyScope[]),
      expiresAtMs: null,
      limits: compileKeyLimits(fullRestrictions(spec.restrictions)),
      reach: null,
      disconnectPolicy: this.drainProjects.has(project) ? 'drain' : 'abort',
    });
    this.build();
    return { id, name, key, prefix: key.slice(0, 8) } as ApiKeyCreated;
  }
}

function settledEvents(journalDir: string): UsageEvent[] {
  const events: UsageEvent[] = [];
  for (const entry of readJournal(journalDir, JOURNAL_START, { onDamage: () => {} })) {
    if (entry.type === ENTRY_SETTLED) events.push(...decodeSettled(entry.payload).events);
  }
  return events;
}

/**
 * The data plane alone, in this process: real sockets, pipeline, providers and journal, but neither store nor
 * administrative API; rows are read from the journal. Starts in milliseconds, for working on the wire.
 */
export async function startDataPlane(
  options: GateOptions & { countsSlots?: boolean } = {},
): Promise<PlaneGate> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tallygate-plane-'));
  const configuration = new Configuration(options);
  const logger = createLogger('silent');
  const newId = createIdSource(systemClock);
  const journalDir = join(dataDir, 'journal');
  const journal = await openJournal({
    dir: journalDir,
    fsync: 'process',
    maxWaitingBytes: 64 * MIB,
    reserveBytes: MIB,
    clock: systemClock,
    logger,
    ids: newId,
  });
  const number = (name: string, fallback: number) => Number(options.config?.[name] ?? fallback);
  const egress = createEgress({
    connectTimeoutMs: number('TALLYGATE_CONNECT_TIMEOUT_MS', 10_000),
    policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
  });
  const rates = new RateEngine();
  if (options.countsSlots) rates.replaceAll([SLOTS, TOKENS]);
  const gateway = createGateway({
    snapshot: configuration,
    journal,
    egress,
    renderers: ERROR_RENDERERS,
    metrics: createGatewayMetrics(new Registry()),
    budgets: new BudgetEngine(),
    rates,
    joint: null,
    recounting: { counter: null, ratios: createInputRatios() },
    limitHeaders: LIMIT_HEADERS,
    utilisationPrefixes: UTILISATION_PREFIXES,
    clock: systemClock,
    newId,
    logger,
    watch: { keyUsed: () => undefined, refused: () => undefined },
    addressOf: (request) => request.socket.remoteAddress ?? null,
    pool: createAccountPool({
      strategy: poolStrategySchema.parse(options.config?.LB_STRATEGY ?? 'session'),
      sessionMs: number('SESSION_DURATION_MS', 18_000_000),
    }),
    retry: {
      attempts: number('RETRY_ATTEMPTS', 3),
      delayMs: number('RETRY_DELAY_MS', 1_000),
      backoff: number('RETRY_BACKOFF', 2),
      deadlineMs: number('TALLYGATE_RETRY_DEADLINE_MS', 60_000),
    },
    random: Math.random,
    translation: {
      translators: TRANSLATORS,
      losses: options.config?.TRANSLATE_LOSSES === 'drop' ? 'drop' : 'refuse',
      ratio: createTokenRatio(),
    },
    modelLists: createModelLists({ ask: async () => [], clock: systemClock }),
    limits: {
      maxBodyBytes: number('TALLYGATE_MAX_BODY_BYTES', 32 * MIB),
      maxBodiesBytes: number('TALLYGATE_MAX_BODIES_BYTES', 1024 * MIB),
      firstByteTimeoutMs: number('TALLYGATE_FIRST_BYTE_TIMEOUT_MS', 600_000),
      idleTimeoutMs: number('TALLYGATE_IDLE_TIMEOUT_MS', 300_000),
      drainMaxMs: number('TALLYGATE_DRAIN_MAX_MS', 30_000),
      drainMaxBytes: number('TALLYGATE_DRAIN_MAX_BYTES', 16 * MIB),
    },
  });
  const notFound = (
    _request: unknown,
    response: { writeHead(status: number): { end(body: string): unknown } },
  ) => void response.writeHead(404).end('{"error":{}}');
  const server = createHttpServer(createDispatch(gateway, createDataRoutes(ADAPTERS), notFound));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const rows = () => settledEvents(journalDir).map((event) => ({ ...event, ledgerSeq: 0 }));
  const keys: ApiKeyCreated[] = [];
  const accounts: AccountView[] = [];
  const gate: PlaneGate = {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: process.pid,
    dataDir,
    get key() {
      return keys[0]?.key ?? '';
    },
    keys,
    accounts,
    adminRequest: needsProcess,
    admin: needsProcess,
    async addAccount(spec) {
      const { id, name } = configuration.addAccount(spec, spec.allowPrivateUpstream ?? true);
      const view = { id, name } as AccountView;
      accounts.push(view);
      return view;
    },
    async addKey(spec = {}) {
      const made = configuration.addKey(spec);
      keys.push(made);
      return made;
    },
    async revokeKey(id) {
      for (const [digest, entry] of configuration.keys)
        if (entry.id === id) configuration.keys.delete(digest);
      configuration.build();
      gateway.endKey(id);
    },
    async pauseAccount(id, paused) {
      for (const account of configuration.accounts) if (account.id === id) account.paused = paused;
      configuration.build();
    },
    requestsJson: async () =>
      rows()
        .map((row) => requestView(row, NAMES))
        .reverse(),
    row: (id) =>
      eventually(`request ${id} in the journal`, () => {
        const all = rows();
        const found = all.find((row) => row.id === id);
        const children = all.filter((row) => row.parentId === id);
        return found
          ? requestDetailView(found, { children, costLines: null, names: NAMES, places: PLACES })
          : null;
      }),
    untilRows: (count, which = () => true) =>
      eventually(`${count} requests in the journal`, async () => {
        const all = (await gate.requestsJson()).filter(which);
        return all.length >= count ? all : null;
      }),
    totals: needsProcess,
    output: () => '',
    async held() {
      const { fullest } = await rates.standings(SLOTS.id, systemClock.monotonicMs(), 10);
      const upstreams = new Set(configuration.accounts.map(({ target }) => egress.upstream(target)));
      let sockets = 0;
      for (const { running } of upstreams) sockets += running;
      return {
        requests: gateway.inFlight(),
        attempts: configuration.accounts.reduce((sum, { state }) => sum + state.inFlight, 0),
        slots: fullest.reduce((sum, { used }) => sum + used, 0),
        sockets,
      };
    },
    terminate: needsProcess,
    kill9: needsProcess,
    restart: needsProcess,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gateway.stop(0);
      await egress.destroy();
      await journal.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  for (const account of options.accounts ?? []) await gate.addAccount(account);
  for (const key of options.keys ?? [{}]) await gate.addKey(key);
  return gate;
}

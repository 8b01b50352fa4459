/**
 * Fills a SQLite store with realistic traffic and measures what the dashboard asks of it. Five UTC days go through
 * the ledger's own commit path; the rest are copies of them, rows and rollups, moved back by whole days.
 * Usage: node --conditions=@tallygate/source tools/store/ten-million.ts DIR [days=90] [batch=1000]
 * With days=0 a file that is there is measured again. The figures are in docs/stores.md.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TOKEN_BUCKETS, type TokenCounts, unknownUnits } from '@tallygate/contract/usage';
import type { Attempt, UsageEvent } from '@tallygate/server/accounting/usage-event';
import { sqliteEngine } from '@tallygate/server/store/sqlite/engine';
import type { RequestPageQuery, Store, UsageFilter } from '@tallygate/server/store/store';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const BASE_DAYS = 5;
const BASE_END_MS = Date.UTC(2026, 10, 23);
const BASE_START_MS = BASE_END_MS - BASE_DAYS * DAY_MS;
/** Ranges end here, in the middle of an hour: both of their ends are ragged. */
const END_MS = BASE_END_MS - DAY_MS + 15 * HOUR_MS + 37 * 60_000 + 12_345;
const EVENTS_A_DAY = Math.round(10_000_000 / 90);
const PROJECTS = 50;
const KEYS = 200;
const MODELS = [
  'claude-opus-5',
  'claude-sonnet-5',
  'claude-haiku-5',
  'claude-sonnet-4-5',
  'gpt-6-sol',
  'gpt-6-luna',
]
  .concat(['gpt-5', 'gpt-5-mini', 'o3', 'llama-4', 'qwen-3', 'deepseek-v4'])
  .map((name, index) => ({
    name,
    provider: ['anthropic', 'openai', 'compatible'][Math.floor(index / 4)] ?? '',
  }));
const ACCOUNTS: Record<string, string[]> = {
  anthropic: ['a1', 'a2'],
  openai: ['a3', 'a4'],
  compatible: ['a5'],
};
const QUERY_ROUNDS = 7;

/** Small deterministic generator (mulberry32): the same file every time. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
const random = randomSource(20_261_122);
/** Few are busy, most are not. */
const skewed = (count: number): number => Math.floor(count * random() ** 2.2);
const uuid = (kind: number, n: number): string =>
  `0190a1b2-${String(kind).padStart(4, '0')}-7000-8000-${String(n).padStart(12, '0')}`;
const logNormal = (median: number, sigma: number): number =>
  Math.round(
    median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  );

function statusOf(): UsageEvent['status'] {
  const at = random();
  if (at < 0.955) return 'ok';
  if (at < 0.975) return 'client_error';
  if (at < 0.987) return 'aborted';
  if (at < 0.997) return 'upstream_error';
  return at < 0.9999 ? 'timeout' : 'interrupted';
}

/** Everything of a request that chance decides. */
function draw(n: number) {
  const key = skewed(KEYS);
  const model = MODELS[(key * 5 + skewed(4)) % MODELS.length] ?? { name: 'gpt-5', provider: 'openai' };
  const accounts = ACCOUNTS[model.provider] ?? ['a1'];
  const account = accounts[random() < 0.8 ? 0 : accounts.length - 1] ?? 'a1';
  return {
    key,
    model,
    accountId: uuid(9, Number(account.slice(1))),
    status: statusOf(),
    latencyMs: logNormal(2_500, 0.8),
    stream: random() < 0.8,
    input: logNormal(900, 1),
    cached: random() < 0.6 ? logNormal(8_000, 1) : 0,
    written: random() < 0.2,
    output: logNormal(300, 1),
    upstreamRequestId: `req_${n.toString(36).padStart(20, '0')}`,
  };
}

type Drawn = ReturnType<typeof draw>;

function attemptOf({ accountId, model, latencyMs, upstreamRequestId }: Drawn, startedAtMs: number): Attempt {
  return {
    index: 0,
    accountId,
    provider: model.provider,
    startedAtMs,
    firstByteAtMs: startedAtMs + 300,
    endedAtMs: startedAtMs + latencyMs,
    httpStatus: 200,
    outcome: 'ok',
    errorCode: null,
    upstreamRequestId,
    model: null,
    chosenBy: 'session',
  };
}

function usageOf({ input, cached, written, output }: Drawn) {
  const none = Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 0])) as TokenCounts;
  return {
    tokens: {
      ...none,
      inputUncached: input,
      cacheRead: cached,
      cacheWrite5m: written ? input : 0,
      outputVisible: output,
    },
    weightedTokens: Math.round(input + cached * 0.1 + output * 5),
    costNanoUsd: BigInt(input * 3_000 + cached * 300 + output * 15_000),
    requestBytes: input * 4,
    responseBytes: output * 4,
    rawUsage: `{"input_tokens":${input},"cache_read_input_tokens":${cached},"output_tokens":${output}}`,
  };
}

const workspaceId = uuid(0, 1);

function eventAt(n: number, startedAtMs: number): UsageEvent {
  const drawn = draw(n);
  const { key, model, accountId, status, latencyMs, stream, upstreamRequestId } = drawn;
  return {
    id: uuid(1, n),
    parentId: null,
    workspaceId,
    projectId: uuid(2, key % PROJECTS),
    apiKeyId: uuid(3, key),
    userId: null,
    source: 'gateway',
    provider: model.provider,
    accountId,
    apiFlavor: model.provider === 'anthropic' ? 'anthropic.messages' : 'openai.chat',
    modelRequested: model.name,
    modelServed: status === 'client_error' ? null : model.name,
    startedAtMs,
    firstByteAtMs: startedAtMs + 300,
    endedAtMs: startedAtMs + latencyMs,
    latencyMs,
    ttftMs: stream ? Math.round(latencyMs * 0.2) : null,
    stream,
    status,
    httpStatus: 200,
    errorCode: null,
    units: unknownUnits(),
    serviceTier: 'standard',
    speed: null,
    geo: null,
    batch: false,
    priceCard: `${model.provider}/${model.name}@2026-11-22`,
    priceStatus: 'priced',
    settleStatus: status === 'aborted' ? 'estimated' : 'final',
    providerCostUsd: null,
    upstreamRequestId,
    sessionId: null,
    conversationId: null,
    tags: n % 50 === 0 ? [`team:${key % 8}`] : [],
    poolId: null,
    ruleId: null,
    ruleChanges: null,
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
    ...usageOf(drawn),
    attempts: [attemptOf(drawn, startedAtMs)],
  };
}

async function fill(store: Store, count: number, batchSize: number): Promise<void> {
  let commitMs = 0;
  let commitCpuMs = 0;
  for (let done = 0; done < count; ) {
    const batch: UsageEvent[] = [];
    for (let i = 0; i < batchSize && done < count; i++, done++) {
      batch.push(eventAt(done, BASE_START_MS + Math.floor((done / EVENTS_A_DAY) * DAY_MS)));
    }
    const started = performance.now();
    const cpu = process.cpuUsage();
    const committed = { segment: 1, offset: done };
    await store.ledger.commit(batch, { nodeId: 'fill', committed, lowWaterSegment: 1 });
    commitMs += performance.now() - started;
    const used = process.cpuUsage(cpu);
    commitCpuMs += (used.user + used.system) / 1000;
    if (done % 500_000 < batchSize || done === count) {
      const rate = (ms: number): number => Math.round(done / (ms / 1000));
      console.log(
        `${done} events: ${rate(commitMs)} events/s committed, ${rate(commitCpuMs)} events per CPU second`,
      );
    }
  }
}

/** Copies the base days `copies` times, each further back; ledger numbers run on, ids get another first part. */
function copyBaseDays(path: string, copies: number): void {
  const db = new DatabaseSync(path);
  db.exec('pragma synchronous = off; pragma cache_size = -200000; pragma wal_autocheckpoint = 16000');
  const columnsOf = (table: string): string[] =>
    db
      .prepare(`select name from pragma_table_info('${table}')`)
      .all()
      .map((row) => String(row.name));
  const base = Number(db.prepare('select max(ledger_seq) as n from usage_event').get()?.n);
  const moved: Record<string, (copy: number) => string> = {
    ledger_seq: (copy) => `ledger_seq + ${copy * base}`,
    id: (copy) => `printf('%08x', ${copy}) || substr(id, 9)`,
    started_at_ms: (copy) => `started_at_ms - ${copy * BASE_DAYS * DAY_MS}`,
    bucket_ms: (copy) => `bucket_ms - ${copy * BASE_DAYS * DAY_MS}`,
  };
  for (let copy = 1; copy <= copies; copy++) {
    db.exec('begin immediate');
    for (const table of ['usage_event', 'attempt', 'event_tag', 'rollup_hour', 'rollup_day']) {
      const columns = columnsOf(table);
      const values = columns.map((name) => moved[name]?.(copy) ?? name);
      const isBase = columns.includes('bucket_ms')
        ? `bucket_ms >= ${BASE_START_MS}`
        : `ledger_seq <= ${base}`;
      db.exec(
        `insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from ${table} where ${isBase}`,
      );
    }
    db.exec(`update ledger_head set last_ledger_seq = ${(copy + 1) * base}`);
    db.exec('commit');
    console.log(`${(copy + 1) * base} events after copy ${copy}`);
  }
  db.close();
}

const middleOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const column = (name: string, ms: number): string => `${name} ${ms.toFixed(0).padStart(5)}`;

/** Processor time beside the clock's, as a busy machine stretches only the latter. */
async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let i = 0; i < QUERY_ROUNDS; i++) {
    const started = performance.now();
    const cpu = process.cpuUsage();
    await work();
    times.push(performance.now() - started);
    const used = process.cpuUsage(cpu);
    cpuTimes.push((used.user + used.system) / 1000);
  }
  const figures = [
    column('first', times[0] ?? 0),
    column('p50', middleOf(times)),
    column('max', Math.max(...times)),
    column('cpu p50', middleOf(cpuTimes)),
  ];
  console.log(`${name.padEnd(50)} ${figures.join('  ')} ms`);
}

async function measureOverview({ usage }: Store): Promise<void> {
  for (const days of [1, 7, 30, 90]) {
    const filter: UsageFilter = { workspaceId, fromMs: END_MS - days * DAY_MS, toMs: END_MS };
    const previous = { workspaceId, fromMs: filter.fromMs - days * DAY_MS, toMs: filter.fromMs };
    const step = days <= 7 ? 'hour' : 'day';
    const project = { ...filter, projectIds: [uuid(2, 3)] };
    await measure(`${days} d totals`, () => usage.totals(filter));
    await measure(`${days} d totals of the period before`, () => usage.totals(previous));
    for (const group of ['model', 'project', 'key'] as const) {
      await measure(`${days} d by ${step} and top 7 by ${group}`, () =>
        usage.timeseries(filter, step, { by: group, top: 7 }),
      );
      await measure(`${days} d breakdown by ${group}`, () => usage.breakdown(filter, group));
    }
    await measure(`${days} d totals of a project`, () => usage.totals(project));
    await measure(`${days} d by ${step} and model of a project`, () =>
      usage.timeseries(project, step, 'model'),
    );
    await measure(`${days} d breakdown by key of one provider`, () =>
      usage.breakdown({ ...filter, providers: ['openai'] }, 'key'),
    );
  }
}

async function measureLists({ usage }: Store): Promise<void> {
  const lists: Record<string, Partial<RequestPageQuery>> = {
    'no filter': {},
    'no filter, 60 days back': { toMs: END_MS - 60 * DAY_MS },
    'a busy project': { projectIds: [uuid(2, 0)] },
    'a quiet project': { projectIds: [uuid(2, 49)] },
    'a quiet key': { apiKeyIds: [uuid(3, 199)] },
    'a model': { models: ['gpt-5'] },
    'a provider': { providers: ['compatible'] },
    'an account': { accountIds: [uuid(9, 5)] },
    'status ok': { statuses: ['ok'] },
    'status interrupted (1 in 10,000)': { statuses: ['interrupted'] },
    'status rejected (none)': { statuses: ['rejected'] },
    'a quiet key, timeouts only': { apiKeyIds: [uuid(3, 199)], statuses: ['timeout'] },
    'three projects, errors only': {
      projectIds: [uuid(2, 1), uuid(2, 2), uuid(2, 3)],
      statuses: ['upstream_error', 'timeout'],
    },
    'a tag': { tags: ['team:3'] },
    'an hour': { fromMs: END_MS - 20 * DAY_MS, toMs: END_MS - 20 * DAY_MS + HOUR_MS },
  };
  for (const [name, query] of Object.entries(lists)) {
    await measure(`list: ${name}`, () => usage.requests({ workspaceId, limit: 50, cursor: null, ...query }));
  }
  let cursor: string | null = null;
  for (let page = 0; page < 200; page++) {
    cursor = (await usage.requests({ workspaceId, limit: 500, cursor })).nextCursor;
  }
  await measure('list: no filter, page 201 of 500', () =>
    usage.requests({ workspaceId, limit: 500, cursor }),
  );
  await measure('live feed: 100 rows after a sequence number', () => usage.committedAfter(5_000_000, 100));
}

const [directory = '', days = '90', batch = '1000'] = process.argv.slice(2);
if (directory === '') throw new Error('Name a directory on a disk with room for about 10 GB.');
mkdirSync(directory, { recursive: true });
const path = join(directory, 'ten-million.db');
if (Number(days) > 0) {
  const ledger = await sqliteEngine.open(`sqlite:${path}`, { role: 'ledger' });
  await ledger.migrate();
  await fill(ledger, Math.round(EVENTS_A_DAY * BASE_DAYS), Number(batch));
  await ledger.close();
  copyBaseDays(path, Math.ceil(Number(days) / BASE_DAYS) - 1);
}
console.log(`${(statSync(path).size / 1e9).toFixed(2)} GB`);
const store = await sqliteEngine.open(`sqlite:${path}`, { role: 'main' });
console.log(`${await store.usage.lastLedgerSeq()} events`);
await measureOverview(store);
await measureLists(store);
await store.close();

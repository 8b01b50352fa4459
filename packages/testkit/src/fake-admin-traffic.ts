import type { CostLineView, RequestDetailView, RequestView } from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';

/** One made-up request: what the list shows, its cost in integers, and how that cost came about. */
export interface FakeRequest {
  seq: number;
  atMs: number;
  costNanoUsd: bigint | null;
  row: RequestView;
  lines: CostLineView[] | null;
}

interface FakeModel {
  id: string;
  provider: string;
  flavor: string;
  account: { id: string; name: string };
  /** pico-USD per token: input, cache read, cache write, output. Null when no card matches. */
  rates: [number, number, number, number] | null;
  weight: number;
  speed: number;
}

const ANTHROPIC = { id: 'acc_anthropic', name: 'Anthropic production' };
const OPENAI = { id: 'acc_openai', name: 'OpenAI' };
const LOCAL = { id: 'acc_ollama', name: 'Workshop GPU' };
const model = (
  id: string,
  provider: string,
  account: FakeModel['account'],
  rest: Pick<FakeModel, 'flavor' | 'rates' | 'weight' | 'speed'>,
): FakeModel => ({ id, provider, account, ...rest });

export const FAKE_MODELS: FakeModel[] = [
  model('claude-opus-4-5-20251101', 'anthropic', ANTHROPIC, {
    flavor: 'messages',
    rates: [5_000_000, 500_000, 6_250_000, 25_000_000],
    weight: 26,
    speed: 0.9,
  }),
  model('claude-sonnet-4-5-20250929', 'anthropic', ANTHROPIC, {
    flavor: 'messages',
    rates: [3_000_000, 300_000, 3_750_000, 15_000_000],
    weight: 30,
    speed: 1.2,
  }),
  model('claude-haiku-4-5-20251001', 'anthropic', ANTHROPIC, {
    flavor: 'messages',
    rates: [1_000_000, 100_000, 1_250_000, 5_000_000],
    weight: 18,
    speed: 2.4,
  }),
  model('gpt-5.1-2025-11-13', 'openai', OPENAI, {
    flavor: 'responses',
    rates: [1_250_000, 125_000, 1_250_000, 10_000_000],
    weight: 12,
    speed: 1,
  }),
  model('gpt-5-mini-2025-08-07', 'openai', OPENAI, {
    flavor: 'chat_completions',
    rates: [250_000, 25_000, 250_000, 2_000_000],
    weight: 8,
    speed: 1.8,
  }),
  model('text-embedding-3-large', 'openai', OPENAI, {
    flavor: 'embeddings',
    rates: [130_000, 130_000, 130_000, 0],
    weight: 4,
    speed: 9,
  }),
  model('qwen3:32b', 'compatible', LOCAL, { flavor: 'chat_completions', rates: null, weight: 2, speed: 0.8 }),
];
export const FAKE_PROJECTS = ['coding-agents', 'support-bot', 'search', 'nightly-evals', 'default'].map(
  (slug) => ({ id: `prj_${slug}`, slug }),
);
export const FAKE_KEYS = [
  'Claude Code, team',
  'support-bot production',
  'search indexer',
  'evals runner',
  'Mira, laptop',
].map((name, i) => ({ id: `key_${i + 1}`, name }));

/** A small deterministic generator (mulberry32): the same seed gives the same traffic. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T extends { weight?: number }>(items: T[], random: () => number): T {
  let left = random() * items.reduce((sum, item) => sum + (item.weight ?? 1), 0);
  for (const item of items) {
    left -= item.weight ?? 1;
    if (left <= 0) return item;
  }
  return items[0] as T;
}

const outcomes = [
  { weight: 955, status: 'ok', http: 200, code: null },
  { weight: 16, status: 'client_error', http: 429, code: 'rate_limit_error' },
  { weight: 9, status: 'upstream_error', http: 529, code: 'overloaded_error' },
  { weight: 4, status: 'timeout', http: 504, code: 'upstream_timeout' },
  { weight: 14, status: 'aborted', http: 200, code: null },
  { weight: 2, status: 'interrupted', http: null, code: null },
] as const;

/** Makes one request at an instant; everything random comes from `random`. */
export function fakeRequest(seq: number, atMs: number, random: () => number): FakeRequest {
  const chosen = pick(FAKE_MODELS, random);
  const outcome = pick([...outcomes], random);
  const place = Math.min(4, Math.floor(random() ** 1.7 * 5));
  const failed =
    outcome.status === 'client_error' || outcome.status === 'upstream_error' || outcome.status === 'timeout';
  const embedding = chosen.flavor === 'embeddings';
  const tokens = unknownTokens();
  if (!failed) {
    tokens.inputUncached = Math.round(80 + random() ** 3 * 9000);
    tokens.cacheRead = embedding ? 0 : Math.round(random() < 0.75 ? random() ** 1.5 * 90_000 : 0);
    tokens.cacheWrite5m =
      chosen.provider === 'anthropic' && random() < 0.6 ? Math.round(random() ** 2 * 9000) : 0;
    tokens.outputVisible = embedding ? 0 : Math.round(20 + random() ** 2.2 * 2600);
    tokens.outputReasoning = chosen.flavor === 'responses' ? Math.round(random() * 1400) : 0;
  }
  const output = (tokens.outputVisible ?? 0) + (tokens.outputReasoning ?? 0);
  const ttftMs =
    failed || embedding ? null : Math.round((260 + random() ** 4 * 2600) / Math.sqrt(chosen.speed));
  const latencyMs =
    outcome.status === 'timeout'
      ? 60_000
      : Math.round((ttftMs ?? 90 + random() * 200) + (output * 14) / chosen.speed);
  const lines = failed || chosen.rates === null ? null : costLines(chosen.rates, tokens);
  const costNanoUsd = lines === null ? null : lines.reduce((sum, line) => sum + nanoOf(line), 0n);
  const input = (tokens.inputUncached ?? 0) + (tokens.cacheRead ?? 0) + (tokens.cacheWrite5m ?? 0);
  const id = `0199${seq.toString(16).padStart(8, '0')}-7c1e-7a2b-9d40-${Math.floor(random() * 2 ** 40)
    .toString(16)
    .padStart(12, '0')}`;
  const row: RequestView = {
    id,
    parentId: null,
    upstreamRequestId:
      failed && outcome.status === 'timeout'
        ? null
        : `req_011C${Math.floor(random() * 2 ** 48).toString(36)}`,
    startedAt: new Date(atMs).toISOString(),
    endedAt: outcome.status === 'interrupted' ? null : new Date(atMs + latencyMs).toISOString(),
    status: outcome.status,
    httpStatus: outcome.http,
    errorCode: outcome.code,
    modelRequested: chosen.id.replace(/-20\d{6}$|-20\d\d-\d\d-\d\d$/, ''),
    modelServed: failed ? null : chosen.id,
    provider: chosen.provider,
    apiFlavor: chosen.flavor,
    project: FAKE_PROJECTS[place] as (typeof FAKE_PROJECTS)[number],
    key: FAKE_KEYS[place] as (typeof FAKE_KEYS)[number],
    account: chosen.account,
    source: 'gateway',
    stream: !embedding && random() < 0.85,
    tokens,
    units: unknownUnits(),
    totalTokens: failed ? null : input + output,
    weightedTokens: failed
      ? null
      : Math.round(
          (tokens.inputUncached ?? 0) +
            (tokens.cacheRead ?? 0) * 0.1 +
            (tokens.cacheWrite5m ?? 0) * 1.25 +
            output * 5,
        ),
    costUsd: costNanoUsd === null ? null : formatNanoUsd(costNanoUsd),
    priceStatus: failed ? 'no_usage' : chosen.rates === null ? 'unpriced' : 'priced',
    settleStatus:
      outcome.status === 'interrupted' ? 'interrupted' : outcome.status === 'aborted' ? 'estimated' : 'final',
    priceCard: lines === null ? null : `${chosen.provider}/${chosen.id}@2026-11-01`,
    serviceTier: chosen.provider === 'anthropic' && !failed ? 'standard' : null,
    latencyMs: outcome.status === 'interrupted' ? null : latencyMs,
    ttftMs,
    sessionId: place === 0 ? `ses_${Math.floor(random() * 40)}` : null,
    tags: place === 3 ? ['nightly'] : [],
  };
  return { seq, atMs, costNanoUsd, row, lines };
}

const nanoOf = (line: CostLineView): bigint =>
  (BigInt(line.quantity) * BigInt(line.ratePicoUsd) + 500n) / 1000n;

function costLines(rates: [number, number, number, number], tokens: RequestView['tokens']): CostLineView[] {
  const parts = [
    ['inputUncached', rates[0]],
    ['cacheRead', rates[1]],
    ['cacheWrite5m', rates[2]],
    ['outputVisible', rates[3]],
    ['outputReasoning', rates[3]],
  ] as const;
  return parts
    .filter(([unit]) => (tokens[unit] ?? 0) > 0)
    .map(([unit, rate]) => {
      const line = { unit, quantity: tokens[unit] ?? 0, ratePicoUsd: String(rate), amountUsd: '0' };
      return { ...line, amountUsd: formatNanoUsd(nanoOf(line)) };
    });
}

/** Traffic that ends at `nowMs`: busier in working hours, growing a little, with one quiet gap on the last day. */
export function fakeTraffic(count: number, nowMs: number, days: number): FakeRequest[] {
  const random = seededRandom(42);
  const hours = days * 24;
  const weights = Array.from({ length: hours }, (_, i) => {
    const hour = new Date(nowMs - (hours - i) * 3_600_000).getUTCHours();
    const weekday = new Date(nowMs - (hours - i) * 3_600_000).getUTCDay();
    const gap = hours - i === 17 || hours - i === 16;
    const day = weekday === 0 || weekday === 6 ? 0.62 : 1;
    return gap
      ? 0
      : (0.15 + Math.exp(-((hour - 14) ** 2) / 18)) *
          day *
          (0.7 + (0.6 * i) / hours) *
          (0.75 + random() * 0.5);
  });
  const total = weights.reduce((a, b) => a + b, 0);
  const times = weights.flatMap((weight, i) =>
    Array.from(
      { length: Math.round((weight / total) * count) },
      () => nowMs - (hours - i) * 3_600_000 + random() * 3_600_000,
    ),
  );
  return times
    .sort((a, b) => a - b)
    .map((at, i) => fakeRequest(i + 1, Math.min(Math.floor(at), nowMs - 1000), random));
}

/** What the detail endpoint answers for a row: its attempts, cost lines and a raw usage object. */
export function fakeDetail(item: FakeRequest): RequestDetailView {
  const { row } = item;
  const at = (offsetMs: number): string => new Date(item.atMs + offsetMs).toISOString();
  const retried = item.seq % 9 === 0 && row.status === 'ok';
  const attempt = (index: number, fields: Partial<RequestDetailView['attempts'][number]>) => ({
    index,
    account: row.account,
    provider: row.provider,
    startedAt: at(6),
    firstByteAt: row.ttftMs === null ? null : at(row.ttftMs - 20),
    endedAt: row.endedAt,
    httpStatus: row.httpStatus,
    outcome: row.status,
    errorCode: row.errorCode,
    upstreamRequestId: row.upstreamRequestId,
    model: null,
    chosenBy: 'session' as string | null,
    ...fields,
  });
  const first = attempt(0, {
    outcome: 'upstream_error',
    httpStatus: 529,
    errorCode: 'overloaded_error',
    firstByteAt: at(70),
    endedAt: at(80),
    upstreamRequestId: `${row.upstreamRequestId}a`,
  });
  return {
    request: row,
    attempts: retried ? [first, attempt(1, { startedAt: at(84) })] : [attempt(0, {})],
    children: [],
    costLines: item.lines,
    pool: null,
    rule: null,
    cacheLoss: null,
    rawUsage:
      row.totalTokens === null
        ? null
        : {
            input_tokens: row.tokens.inputUncached,
            cache_read_input_tokens: row.tokens.cacheRead,
            cache_creation_input_tokens: row.tokens.cacheWrite5m,
            output_tokens: row.tokens.outputVisible,
            service_tier: row.serviceTier,
          },
    requestBytes: 1200 + (row.tokens.inputUncached ?? 0) * 4,
    responseBytes: 600 + (row.tokens.outputVisible ?? 0) * 22,
  };
}

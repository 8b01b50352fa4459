import type { AccountView } from '@tallygate/contract/api/accounts';
import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import type { BreakdownView, RequestView, TotalsView } from '@tallygate/contract/api/usage';
import { TOKEN_BUCKETS, unknownTokens, unknownUnits } from '@tallygate/contract/usage';

const AT = '2026-11-22T10:00:00.000Z';

/** One request as the API shows it, priced and final unless changed. */
export function stubRequest(change: Partial<RequestView> = {}): RequestView {
  return {
    id: '0199aaaa-0000-7000-8000-000000000001',
    parentId: null,
    upstreamRequestId: 'req_1',
    startedAt: AT,
    endedAt: '2026-11-22T10:00:01.500Z',
    status: 'ok',
    httpStatus: 200,
    errorCode: null,
    modelRequested: 'claude-sonnet-4-5',
    modelServed: 'claude-sonnet-4-5-20250929',
    provider: 'anthropic',
    apiFlavor: 'anthropic.messages',
    project: { id: 'p1', slug: 'default' },
    key: { id: 'k1', name: 'laptop' },
    account: { id: 'a1', name: 'main' },
    source: 'proxy',
    stream: true,
    tokens: { ...unknownTokens(), inputUncached: 1000, cacheRead: 0, outputVisible: 200 },
    units: unknownUnits(),
    totalTokens: 1200,
    weightedTokens: 2000,
    costUsd: '0.006',
    priceStatus: 'priced',
    settleStatus: 'final',
    priceCard: 'anthropic/claude-sonnet-4-5@1',
    serviceTier: 'standard',
    latencyMs: 1500,
    ttftMs: 300,
    sessionId: null,
    tags: [],
    ...change,
  };
}

export function stubKey(change: Partial<ApiKeyView> = {}): ApiKeyView {
  return {
    id: 'k1',
    name: 'laptop',
    prefix: 'tg_abcdef',
    scopes: ['gateway'],
    project: { id: 'p1', slug: 'default' },
    createdAt: AT,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    kind: 'issued',
    restrictions: NO_RESTRICTIONS,
    rotatedAt: null,
    previous: null,
    user: null,
    ...change,
  };
}

export function stubAccount(change: Partial<AccountView> = {}): AccountView {
  return {
    id: 'a1',
    name: 'main',
    provider: 'anthropic',
    preset: null,
    baseUrl: 'https://api.anthropic.com',
    credentialHint: 'wxyz',
    allowPrivateUpstream: false,
    pinSha256: [],
    models: [],
    priority: 100,
    weight: 1,
    tier: 1,
    notes: null,
    boundTo: [],
    pools: [],
    paused: false,
    condition: 'ready',
    oauth: null,
    limits: [],
    windows: [],
    createdAt: AT,
    lastUsedAt: null,
    ...change,
  };
}

const zeroTokens = () =>
  Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 0])) as TotalsView['totals']['tokens'];

export function stubSums(change: Partial<BreakdownView['rows'][number]> = {}) {
  return {
    requests: 1234,
    errors: 12,
    unpricedRequests: 3,
    unpricedTokens: 4500,
    estimatedRequests: 2,
    interruptedRequests: 1,
    costUsd: '12.345678901',
    tokens: {
      ...zeroTokens(),
      inputUncached: 10_000,
      cacheRead: 90_000,
      cacheWrite5m: 500,
      outputVisible: 7000,
    },
    totalTokens: 107_500,
    weightedTokens: 54_625,
    cacheHitRatio: 0.8955,
    ...change,
  };
}

export function stubTotals(): TotalsView {
  const latency = { count: 1234, p50Ms: 812, p95Ms: 4200, p99Ms: 12_400 };
  return {
    from: '2026-11-21T12:00:00.000Z',
    to: '2026-11-22T12:00:00.000Z',
    totals: {
      ...stubSums(),
      latency,
      ttft: { count: 0, p50Ms: null, p95Ms: null, p99Ms: null },
      outputTokensPerSecond: 38.2,
    },
    previous: null,
  };
}

export const stubSystem = {
  version: '0.1.0',
  startedAt: AT,
  store: { kind: 'sqlite', schemaVersion: 3 },
  journal: { state: 'ok' as 'ok' | 'degraded' | 'full', backlogEntries: 0, fsync: 'process' as const },
  prices: { version: '1', cards: 100 },
  warnings: [],
};

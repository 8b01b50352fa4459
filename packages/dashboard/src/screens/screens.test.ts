import type { RequestView, TimeseriesView } from '@tallygate/contract/api/usage';
import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { clientSnippets, orderSnippets, snippetModels } from '../app/connect/snippets.ts';
import { codeFromHash } from '../app/url/code-from-hash.ts';
import { assignColors } from '../ui/chart/palette.ts';
import { passwordRules } from '../ui/password-rule-list.ts';
import { looksPrivate, parsePatterns, providerChoices } from './accounts/provider-choice.ts';
import { keyState } from './keys/scopes.ts';
import { safeReturnPath } from './login/return-path.ts';
import { buildChart } from './overview/build-chart.ts';
import { chartCsv } from './overview/chart-csv.ts';
import { bucketParts } from './requests/detail/buckets.ts';
import { requestTiming } from './requests/detail/timing.ts';
import { addArrivals, inputTokens, matchesFilters, mergeRows } from './requests/request-match.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 22, 10);

function row(id: string, patch: Partial<RequestView> = {}): RequestView {
  return {
    id,
    parentId: null,
    upstreamRequestId: null,
    startedAt: new Date(START).toISOString(),
    endedAt: new Date(START + 2000).toISOString(),
    status: 'ok',
    httpStatus: 200,
    errorCode: null,
    modelRequested: 'm',
    modelServed: 'm-1',
    provider: 'anthropic',
    apiFlavor: 'messages',
    project: { id: 'p1', slug: 'default' },
    key: { id: 'k1', name: 'key' },
    account: null,
    source: 'gateway',
    stream: true,
    tokens: unknownTokens(),
    units: unknownUnits(),
    totalTokens: null,
    weightedTokens: null,
    costUsd: null,
    priceStatus: 'unpriced',
    settleStatus: 'final',
    priceCard: null,
    serviceTier: null,
    latencyMs: 2000,
    ttftMs: 300,
    sessionId: null,
    tags: [],
    ...patch,
  };
}

function point(at: number, patch: object = {}): TimeseriesView['series'][number]['points'][number] {
  return {
    at: new Date(at).toISOString(),
    requests: 1,
    errors: 0,
    unpricedRequests: 0,
    costUsd: '0.25',
    totalTokens: 10,
    weightedTokens: 10,
    cacheReadTokens: 3,
    inputTokens: 6,
    outputTokens: 4,
    latencyP50Ms: 100,
    latencyP95Ms: 200,
    ttftP50Ms: null,
    ...patch,
  };
}

describe('chart', () => {
  const span = { fromMs: START + 60_000, toMs: START + 3.5 * HOUR, stepMs: HOUR };

  it('leaves a bucket without traffic as a gap and marks the partial ones', () => {
    const series = [
      { key: 'm', label: 'm', points: [point(START), point(START + 2 * HOUR, { costUsd: '1.5' })] },
    ];
    const model = buildChart(series, 'spend', span);
    expect(model.times).toHaveLength(4);
    expect(model.series[0]?.values).toEqual([0.25, null, 1.5, null]);
    expect(model.partial).toEqual([true, false, false, true]);
  });

  it('breaks a latency line where nothing is known', () => {
    const model = buildChart([{ key: 'all', label: 'all', points: [point(START)] }], 'latency', span);
    expect(model.series.find((series) => series.key === 'ttft')?.values).toEqual([null, null, null, null]);
    expect(model.series.find((series) => series.key === 'p95')?.values).toEqual([200, null, null, null]);
  });

  it('says unpriced instead of a zero', () => {
    const unpriced = [
      { key: 'q', label: 'q', points: [point(START, { costUsd: '0', unpricedRequests: 1 })] },
    ];
    expect(buildChart(unpriced, 'spend', span).series[0]?.unknown).toBe('unpriced');
    expect(buildChart(unpriced, 'tokens', span).series[0]?.unknown).toBeUndefined();
  });

  it('gives a key the same colour in any company, unless taken', () => {
    const alone = assignColors(['claude-opus-4-5']);
    expect(assignColors(['gpt-5', 'claude-opus-4-5']).get('claude-opus-4-5')).toBe(
      alone.get('claude-opus-4-5'),
    );
    const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(new Set(assignColors(seven).values()).size).toBe(7);
  });

  it('writes CSV that a spreadsheet cannot be tricked with', () => {
    const series = [{ key: 'x', label: '=HYPERLINK("http://x")', points: [point(START)] }];
    const csv = chartCsv(buildChart(series, 'spend', span));
    expect(csv.split('\r\n')[0]).toBe(`bucket_start_utc,"'=HYPERLINK(""http://x"")"`);
    expect(csv.split('\r\n')[2]).toBe('2026-11-22T11:00:00.000Z,');
  });
});

describe('request list', () => {
  it('keeps a row once when the stream and a page overlap, in its newest state', () => {
    const fresh = [row('b', { status: 'timeout' })];
    expect(mergeRows(fresh, [row('b'), row('a')]).map((one) => [one.id, one.status])).toEqual([
      ['b', 'timeout'],
      ['a', 'ok'],
    ]);
  });

  it('puts arrivals on top and bounds them', () => {
    const after = addArrivals([row('1')], [row('2'), row('3'), row('2', { status: 'aborted' })], 2);
    expect(after.map((one) => [one.id, one.status])).toEqual([
      ['2', 'aborted'],
      ['3', 'ok'],
    ]);
  });

  it('filters what the stream brings as the API does', () => {
    expect(matchesFilters(row('a'), {})).toBe(true);
    expect(matchesFilters(row('a'), { project: ['default'], model: ['m-1', 'other'] })).toBe(true);
    expect(matchesFilters(row('a'), { project: ['p1'], status: ['timeout'] })).toBe(false);
    expect(matchesFilters(row('a', { key: null }), { key: ['k1'] })).toBe(false);
  });

  it('knows the difference between no tokens and unknown tokens', () => {
    expect(inputTokens(row('a'))).toBeNull();
    expect(inputTokens(row('a', { tokens: { ...unknownTokens(), inputUncached: 0 } }))).toBe(0);
  });
});

describe('request detail', () => {
  const attempt = {
    index: 0,
    account: null,
    provider: 'anthropic',
    startedAt: new Date(START + 10).toISOString(),
    firstByteAt: new Date(START + 310).toISOString(),
    endedAt: new Date(START + 2000).toISOString(),
    httpStatus: 200,
    outcome: 'ok',
    errorCode: null,
    upstreamRequestId: null,
    model: null,
    chosenBy: null,
  };

  it('splits an attempt into wait and answer', () => {
    const timing = requestTiming(row('a'), [attempt]);
    expect(timing?.bars.map((bar) => [bar.kind, bar.startMs, bar.endMs])).toEqual([
      ['wait', 10, 310],
      ['answer', 310, 2000],
    ]);
  });

  it('shows an attempt that got nothing as waiting only, and an unended request not at all', () => {
    expect(requestTiming(row('a'), [{ ...attempt, firstByteAt: null }])?.bars).toHaveLength(1);
    expect(requestTiming(row('a', { latencyMs: null, endedAt: null }), [attempt])).toBeNull();
  });

  it('shows buckets whose shares add up', () => {
    const parts = bucketParts({ ...unknownTokens(), inputUncached: 30, outputVisible: 10, cacheRead: 0 });
    expect(parts.map((part) => [part.bucket, part.share])).toEqual([
      ['inputUncached', 0.75],
      ['outputVisible', 0.25],
    ]);
  });
});

describe('connecting', () => {
  const input = {
    baseUrl: 'http://127.0.0.1:4100',
    key: 'tg_secret',
    anthropicModel: 'claude-x',
    openaiModel: 'gpt-x',
    geminiModel: 'gemini-x',
  };

  it('fills address and key into every snippet', () => {
    for (const snippet of clientSnippets(input)) {
      expect(snippet.code, snippet.id).toContain(input.baseUrl);
      expect(snippet.code, snippet.id).toContain(input.key);
    }
  });

  it('gives each SDK the base URL it expects', () => {
    const code = (id: string): string =>
      clientSnippets(input).find((snippet) => snippet.id === id)?.code ?? '';
    expect(code('python-openai')).toContain('base_url="http://127.0.0.1:4100/v1"');
    expect(code('python-anthropic')).toContain('base_url="http://127.0.0.1:4100"');
    expect(code('vercel')).toContain("baseURL: 'http://127.0.0.1:4100/v1'");
  });

  it('puts first what the accounts can serve', () => {
    const local = [{ provider: 'compatible', models: ['qwen3:32b', 'llama*'], paused: false }];
    expect(orderSnippets(clientSnippets(input), local)[0]?.dialect).toBe('openai');
    expect(snippetModels(local).openaiModel).toBe('qwen3:32b');
  });

  it('recognises private addresses', () => {
    const isPrivate = [
      'http://localhost:1',
      'http://10.0.0.3/v1',
      'http://172.20.1.1',
      'http://gpu:8000',
      'http://nas.local',
    ];
    expect(isPrivate.map(looksPrivate)).toEqual(isPrivate.map(() => true));
    const isPublic = ['https://api.openai.com', 'https://172.33.1.1', 'not a url', ''];
    expect(isPublic.map(looksPrivate)).toEqual(isPublic.map(() => false));
  });

  it('reads patterns and orders the choices', () => {
    expect(parsePatterns(' claude-*,\ngpt-5*\n\nclaude-*')).toEqual(['claude-*', 'gpt-5*']);
    const choices = providerChoices([
      {
        id: 'compatible',
        name: 'compatible',
        defaultBaseUrl: null,
        credentialRequired: false,
        presets: [
          {
            id: 'ollama',
            name: 'Ollama',
            baseUrl: 'http://127.0.0.1:11434/v1',
            credentialRequired: false,
            private: true,
          },
        ],
      },
      {
        id: 'openai',
        name: 'OpenAI',
        defaultBaseUrl: 'https://api.openai.com',
        credentialRequired: true,
        presets: [],
      },
    ]);
    expect(choices.map((choice) => choice.id)).toEqual(['openai', 'compatible/ollama', 'compatible']);
  });
});

describe('entry', () => {
  it.each([
    [undefined, '/'],
    ['/requests?status=ok', '/requests?status=ok'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/login?return=/login', '/'],
  ])('returns from %s to %s', (path, to) => {
    expect(safeReturnPath(path)).toBe(to);
  });

  it('reads the set-up code from the fragment only', () => {
    expect(codeFromHash('#code=abc-1')).toBe('abc-1');
    expect(codeFromHash('')).toBe('');
  });

  it('shows the password rules as they are met', () => {
    const met = (password: string): boolean[] => passwordRules(password, 'owner').map((rule) => rule.met);
    expect(met('')).toEqual([false, false]);
    expect(met('short')).toEqual([false, true]);
    expect(met('aaaaaaaaaaaaaa')).toEqual([true, false]);
    expect(met('correct horse battery')).toEqual([true, true]);
  });

  it('keeps a revoked key revoked', () => {
    expect(keyState({ revokedAt: '2026-01-01T00:00:00Z', expiresAt: null }, START)).toBe('revoked');
    expect(keyState({ revokedAt: null, expiresAt: '2026-01-01T00:00:00Z' }, START)).toBe('expired');
    expect(keyState({ revokedAt: null, expiresAt: '2027-01-01T00:00:00Z' }, START)).toBe('active');
  });
});

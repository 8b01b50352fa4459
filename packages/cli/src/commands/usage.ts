import type { BreakdownView, TotalsView, UsageGroup, UsageSums } from '@tallygate/contract/api/usage';
import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, optional, withDefault } from '../options/option.ts';
import { durationMs, integer, oneOf, resolveMoment } from '../options/parsers.ts';
import { formatCount, formatInstant, formatMs, formatShare, formatUsd, UNKNOWN } from '../output/numbers.ts';
import type { Column } from '../output/table.ts';
import { filterOptions, filterQuery, type MaybeMoment, sinceOption, untilOption } from './usage-filters.ts';

/** A test checks it against the contract. */
export const USAGE_GROUPS = [
  'project',
  'key',
  'model',
  'provider',
  'account',
  'status',
  'source',
] as const satisfies UsageGroup[];

const DEFAULT_RANGE_MS = 86_400_000;

interface RangeArguments {
  range: number | undefined;
  since: MaybeMoment;
  until: MaybeMoment;
}

/** The span that is meant: `--range` back from its end, or `--since` to `--until`; the last 24 hours unless told. */
export function resolveRange(
  { range, since, until }: RangeArguments,
  now: Date,
): { from: string; to: string } {
  if (range !== undefined && since !== undefined) {
    throw usageError('--range and --since exclude each other.', 'Give one of them.');
  }
  const to = until === undefined ? now : resolveMoment(until, now);
  const from =
    since === undefined ? new Date(to.getTime() - (range ?? DEFAULT_RANGE_MS)) : resolveMoment(since, now);
  if (from >= to) throw usageError('The range is empty: it begins at or after its end.');
  return { from: from.toISOString(), to: to.toISOString() };
}

/** What is not exact about these sums, in words; empty when everything is. */
export function marks(sums: UsageSums): string {
  const parts = [
    [sums.unpricedRequests, 'unpriced'],
    [sums.estimatedRequests, 'estimated'],
    [sums.interruptedRequests, 'interrupted'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${formatCount(count)} ${word}`)
    .join(', ');
}

const inputTokens = ({ tokens }: UsageSums) =>
  tokens.inputUncached + tokens.inputAudio + tokens.inputImage + tokens.inputTool;
const cacheWrites = ({ tokens }: UsageSums) =>
  tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheWriteOther;
const outputTokens = ({ tokens }: UsageSums) =>
  tokens.outputVisible + tokens.outputReasoning + tokens.outputAudio + tokens.outputImage;

function breakdownColumns(group: UsageGroup): Column<BreakdownView['rows'][number]>[] {
  const right = { align: 'right' } as const;
  return [
    { header: group.toUpperCase(), value: (row) => row.label },
    { ...right, header: 'REQUESTS', value: (row) => formatCount(row.requests) },
    { ...right, header: 'ERRORS', value: (row) => formatCount(row.errors) },
    { ...right, header: 'INPUT (TOKENS)', value: (row) => formatCount(inputTokens(row)) },
    {
      ...right,
      header: 'CACHE READ (TOKENS)',
      value: (row) => formatCount(row.tokens.cacheRead + row.tokens.cacheReadAudio),
    },
    { ...right, header: 'CACHE WRITE (TOKENS)', value: (row) => formatCount(cacheWrites(row)) },
    { ...right, header: 'OUTPUT (TOKENS)', value: (row) => formatCount(outputTokens(row)) },
    { ...right, header: 'COST (USD)', value: (row) => formatUsd(row.costUsd) },
    { header: 'NOT EXACT', value: marks },
  ];
}

const speed = (value: number | null | undefined): string =>
  value === null || value === undefined ? UNKNOWN : value.toFixed(1);

/** How fast each group was. */
const TIME_COLUMNS: readonly Column<BreakdownView['rows'][number]>[] = [
  { align: 'right', header: 'P50', value: ({ times }) => formatMs(times?.latency.p50Ms ?? null) },
  { align: 'right', header: 'P95', value: ({ times }) => formatMs(times?.latency.p95Ms ?? null) },
  { align: 'right', header: 'P99', value: ({ times }) => formatMs(times?.latency.p99Ms ?? null) },
  { align: 'right', header: 'FIRST TOKEN P50', value: ({ times }) => formatMs(times?.ttft.p50Ms ?? null) },
  { align: 'right', header: 'OUTPUT (TOKENS/S)', value: ({ times }) => speed(times?.outputTokensPerSecond) },
  { align: 'right', header: 'CACHE HITS', value: ({ cacheHitRatio }) => formatShare(cacheHitRatio) },
];

function totalsText(context: CommandContext, { totals, from, to }: TotalsView): string {
  const { latency, ttft } = totals;
  const percentiles = (it: typeof latency) => [it.p50Ms, it.p95Ms, it.p99Ms].map(formatMs).join(' / ');
  const unpriced =
    totals.unpricedRequests === 0
      ? ''
      : ` + unknown: ${formatCount(totals.unpricedRequests)} requests unpriced (${formatCount(totals.unpricedTokens)} tokens)`;
  const inexact = marks(totals);
  return context.pairs([
    ['Range (UTC)', `${formatInstant(from)} to ${formatInstant(to)}`],
    ['Cost (USD)', `${totals.costUsd}${unpriced}`],
    ['Requests', `${formatCount(totals.requests)}, ${formatCount(totals.errors)} errors`],
    ['Tokens', `${formatCount(totals.totalTokens)}, weighted ${formatCount(totals.weightedTokens)}`],
    ['Cache hits', formatShare(totals.cacheHitRatio)],
    ['Latency p50/p95/p99', percentiles(latency)],
    ['First token p50/p95/p99', percentiles(ttft)],
    ['Output (tokens/s)', speed(totals.outputTokensPerSecond)],
    ...(inexact === '' ? [] : [['Not exact', inexact] as const]),
  ]);
}

export const usage = defineCommand({
  name: 'usage',
  summary: 'Spend, tokens and latency over a range',
  description:
    'Shows the totals of a range and what they consist of. Costs are sums of what is known: requests without a price ' +
    'are counted as unpriced, never as free.',
  options: {
    range: optional('LENGTH', 'How far back, such as 1h, 24h, 7d or 90d (default: 24h)', durationMs),
    since: sinceOption,
    until: untilOption,
    group: withDefault('model', 'BY', `Break down by ${USAGE_GROUPS.join(', ')}`, oneOf(USAGE_GROUPS)),
    times: flag('Also how fast each of them was: latency, first token, tokens per second, cache hits'),
    limit: withDefault('20', 'N', 'Rows of the breakdown', integer(1, 500)),
    ...filterOptions,
  },
  examples: [
    { command: 'usage', explains: 'The last 24 hours by model' },
    { command: 'usage --range 7d --group project', explains: 'A week by project' },
    {
      command: 'usage --since 2026-11-01 --until 2026-12-01 --project web --json',
      explains: 'One project in November, as JSON with exact amounts',
    },
  ],
  async handler(context, args) {
    const range = resolveRange(args, context.terminal.now());
    const query = { ...range, ...filterQuery(args) };
    const api = await context.connect('read');
    const totals = await api.usage.totals(query);
    const breakdown = await api.usage.breakdown({
      ...query,
      group: args.group,
      limit: String(args.limit),
      ...(args.times ? { times: 'true' } : {}),
    });
    const { group, rows } = breakdown;
    context.result({ ...totals, breakdown: { group, rows } }, () => {
      const head = totalsText(context, totals);
      const columns = [...breakdownColumns(group), ...(args.times ? TIME_COLUMNS : [])];
      return rows.length === 0 ? head : `${head}\n${context.table(rows, columns)}`;
    });
    return undefined;
  },
});

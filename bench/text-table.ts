import type { BenchResult, TargetSummary } from './result-types.ts';
import type { Spread } from './stats.ts';

/** Above this, others take the cores that the figures need. */
const QUIET_CORES = 0.3;

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const fine = (value: number): string => value.toFixed(2);

function ranged(value: Spread | null, format: (n: number) => string): string {
  return value ? `${format(value.median)} [${format(value.min)}–${format(value.max)}]` : '–';
}
const pair = (a: Spread | null, b: Spread | null): string =>
  `${a ? fine(a.median) : '–'} / ${b ? fine(b.median) : '–'}`;
const optional = (value: number | null, format: (n: number) => string): string =>
  value === null ? '–' : format(value);

type Column = [title: string, cell: (summary: TargetSummary, result: BenchResult) => string];

export const THROUGHPUT: readonly Column[] = [
  ['target', (s) => s.target],
  ['JSON req/s at 32', (s) => ranged(s.jsonPerSecond, whole)],
  ['× bare', (s) => optional(s.jsonVsBare, fine)],
  ['× nginx', (s) => optional(s.jsonVsNginx, fine)],
  ['CPU µs/req', (s) => ranged(s.jsonCpuUs, whole)],
  ['× bare by CPU', (s) => optional(s.jsonCpuVsBare, fine)],
  ['core', (s) => optional(s.jsonCoreShare?.median ?? null, fine)],
  ['SSE streams/s', (s) => ranged(s.ssePerSecond, whole)],
  ['× bare', (s) => optional(s.sseVsBare, fine)],
  ['× nginx', (s) => optional(s.sseVsNginx, fine)],
  ['CPU µs/stream', (s) => ranged(s.sseCpuUs, whole)],
  ['× bare by CPU', (s) => optional(s.sseCpuVsBare, fine)],
  ['core', (s) => optional(s.sseCoreShare?.median ?? null, fine)],
];

export const LATENCY: readonly Column[] = [
  ['target', (s) => s.target],
  ['added p50 / p99 ms at 1', (s) => pair(s.addedP50Ms, s.addedP99Ms)],
  ['100 KB added p50 / p99 ms', (s) => pair(s.largeAddedP50Ms, s.largeAddedP99Ms)],
  ['paced done', (s) => `${s.pacedCompleted} of ${s.pacedExpected}`],
  ['stalls', (s) => String(s.pacedStalls)],
  ['gap p99 ms', (s) => optional(s.pacedGapP99Ms?.median ?? null, fine)],
  ['added TTFT p50 / p99 ms', (s) => pair(s.ttftAddedP50Ms, s.ttftAddedP99Ms)],
  ['paced core', (s) => optional(s.pacedCoreShare?.median ?? null, fine)],
  ['RSS MB', (s) => optional(s.rssMb, whole)],
  [
    'loop delay p99.9 / max ms',
    (s, r) => {
      const delay = r.loopDelays[s.target];
      return delay ? `${fine(delay.p999Ms)} / ${fine(delay.maxMs)}` : '–';
    },
  ],
  ['failed / altered', (s) => `${s.failed} / ${s.altered}`],
];

export function rowsOf(columns: readonly Column[], result: BenchResult): string[][] {
  return [
    columns.map(([title]) => title),
    ...result.summary.map((s) => columns.map(([, cell]) => cell(s, result))),
  ];
}

function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')).join('\n');
}

/** How much of the machine others used, and what that means for the figures. */
export function noiseLine(foreignCores: number): string {
  const used = `CPU used or taken by others during a phase: up to ${fine(foreignCores)} cores.`;
  return foreignCores > QUIET_CORES
    ? `${used} That is too much for throughput and latency to mean anything: repeat on a quiet machine; only the ratios by CPU are worth a look.`
    : used;
}

/** The figures for a terminal. The row of `direct` holds whole latencies, the others what they add to it. */
export function textTable(result: BenchResult): string {
  const ledger = result.ledger.map(
    (check) =>
      `ledger of ${check.target}: ${whole(check.rows)} rows for ${whole(check.finished)} requests (${check.exact ? 'exact' : 'NOT EXACT'}), ${check.costUsd} USD`,
  );
  const foreign = result.measures.map((m) => m.foreignCores ?? 0);
  const soaked = result.soak;
  return [
    '',
    aligned(rowsOf(THROUGHPUT, result)),
    '',
    aligned(rowsOf(LATENCY, result)),
    '',
    ...ledger,
    noiseLine(Math.max(0, ...foreign)),
    ...(soaked
      ? [
          `soak: ${soaked.seconds} s, ${whole(soaked.completed)} answers, ${soaked.failed} failed, RSS growth ${optional(soaked.growth, fine)}`,
        ]
      : []),
  ].join('\n');
}

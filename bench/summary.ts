import type { Quantiles } from './load-types.ts';
import type { Measure, Phase } from './phases.ts';
import type { TargetSummary } from './result-types.ts';
import { type Spread, spread } from './stats.ts';
import { added } from './targets.ts';

function ratio(of: Spread | null | undefined, to: Spread | null | undefined): number | null {
  return of && to && to.median > 0 ? of.median / to.median : null;
}

function summarizeTarget(target: string, measures: readonly Measure[]): TargetSummary {
  const of = (phase: Phase['name']) => measures.filter((m) => m.target === target && m.phase === phase);
  const pick = (phase: Phase['name'], read: (m: Measure) => number | null) => spread(of(phase).map(read));
  const overDirect = (phase: Phase['name'], read: (m: Measure) => Quantiles, which: keyof Quantiles) =>
    pick(phase, (m) => {
      if (target === 'direct') return read(m)[which];
      const direct = measures.find((d) => d.target === 'direct' && d.phase === phase && d.round === m.round);
      return direct ? added(read(m), read(direct))[which] : null;
    });
  const paced = of('paced');
  const own = measures.filter((m) => m.target === target);
  const sum = (list: readonly Measure[], read: (m: Measure) => number) =>
    list.reduce((n, m) => n + read(m), 0);
  return {
    target,
    jsonPerSecond: pick('json', (m) => m.load.perSecond),
    jsonCpuUs: pick('json', (m) => m.cpuUsPerRequest),
    jsonCoreShare: pick('json', (m) => m.coreShare),
    ssePerSecond: pick('sse', (m) => m.load.perSecond),
    sseCpuUs: pick('sse', (m) => m.cpuUsPerRequest),
    sseCoreShare: pick('sse', (m) => m.coreShare),
    addedP50Ms: overDirect('json-c1', (m) => m.load.latencyMs, 'p50'),
    addedP99Ms: overDirect('json-c1', (m) => m.load.latencyMs, 'p99'),
    largeAddedP50Ms: overDirect('large-c1', (m) => m.load.latencyMs, 'p50'),
    largeAddedP99Ms: overDirect('large-c1', (m) => m.load.latencyMs, 'p99'),
    pacedCompleted: sum(paced, (m) => m.load.completed),
    pacedExpected: sum(paced, (m) => m.load.completed + m.load.failed + m.load.altered),
    pacedStalls: sum(paced, (m) => m.load.stalls),
    pacedGapP99Ms: pick('paced', (m) => m.load.gapP99Ms),
    ttftAddedP50Ms: overDirect('paced', (m) => m.load.ttftMs, 'p50'),
    ttftAddedP99Ms: overDirect('paced', (m) => m.load.ttftMs, 'p99'),
    pacedCoreShare: pick('paced', (m) => m.coreShare),
    rssMb: own.reduce<number | null>(
      (most, m) => (m.rssMb === null ? most : Math.max(most ?? 0, m.rssMb)),
      null,
    ),
    failed: sum(own, (m) => m.load.failed),
    altered: sum(own, (m) => m.load.altered),
    jsonVsBare: null,
    sseVsBare: null,
    jsonCpuVsBare: null,
    sseCpuVsBare: null,
    jsonVsNginx: null,
    sseVsNginx: null,
  };
}

/** One line a target: medians and ranges over the rounds, and ratios of the medians to the yardsticks. */
export function summarize(measures: readonly Measure[]): TargetSummary[] {
  const names = [...new Set(measures.map((m) => m.target))];
  const list = names.map((name) => summarizeTarget(name, measures));
  const bare = list.find(({ target }) => target === 'bare');
  const nginx = list.find(({ target }) => target === 'nginx');
  return list.map((one) => ({
    ...one,
    jsonVsBare: ratio(one.jsonPerSecond, bare?.jsonPerSecond),
    sseVsBare: ratio(one.ssePerSecond, bare?.ssePerSecond),
    jsonCpuVsBare: ratio(bare?.jsonCpuUs, one.jsonCpuUs),
    sseCpuVsBare: ratio(bare?.sseCpuUs, one.sseCpuUs),
    jsonVsNginx: ratio(one.jsonPerSecond, nginx?.jsonPerSecond),
    sseVsNginx: ratio(one.ssePerSecond, nginx?.ssePerSecond),
  }));
}

import type { UsageCondition } from '@tallygate/contract/api/alerts';
import { addToBin } from '../accounting/latency-histogram.ts';
import { windowAt } from '../limits/budget-window.ts';
import type { AlertRuleRow, AlertStateRow } from '../store/ports/alerts.ts';
import type { UsageSumsRow } from '../store/store.ts';
import { metricOf } from './amounts.ts';
import { findAnomaly, HISTORY_HOURS, HOUR_MS } from './anomaly.ts';
import { judge } from './edges.ts';
import type { Reading } from './reading.ts';
import type { AlertSources } from './sources.ts';
import { type TrafficScope, trafficScopes } from './traffic-scope.ts';
import { judgeUsage } from './usage-rule.ts';

/** How far back a rule is tried. */
export const REHEARSAL_DAYS = 7;
const REHEARSAL_HOURS = REHEARSAL_DAYS * 24;
/** The longest window is a month of 31 days. */
const LONGEST_HOURS = 31 * 24;

type Sums = Omit<UsageSumsRow, 'ttftBins'>;
type HourSums = ReadonlyMap<number, UsageSumsRow>;

interface Told {
  atMs: number;
  title: string;
}

/** When a rule would have told people; or why that cannot be said. */
export type Rehearsal = { possible: true; told: Told[] } | { possible: false; reason: string };

type Rehearsed = Pick<AlertRuleRow, 'workspaceId' | 'environment' | 'filter' | 'condition' | 'cooldownMs'>;

const impossible = (reason: string): Rehearsal => ({ possible: false, reason });

function emptySums(like: Sums): UsageSumsRow {
  const tokens = Object.fromEntries(Object.keys(like.tokens).map((name) => [name, 0]));
  return {
    requests: 0,
    errors: 0,
    unpricedRequests: 0,
    unpricedTokens: 0,
    estimatedRequests: 0,
    interruptedRequests: 0,
    costNanoUsd: 0n,
    tokens: tokens as UsageSumsRow['tokens'],
    weightedTokens: 0,
    latencyBins: new Map(),
    ttftBins: new Map(),
  };
}

/** What a rule judges is added; the rest of the sums stays as it is. */
function add(into: UsageSumsRow, more: Sums): void {
  into.requests += more.requests;
  into.errors += more.errors;
  into.unpricedRequests += more.unpricedRequests;
  into.costNanoUsd += more.costNanoUsd;
  for (const name of Object.keys(into.tokens) as (keyof UsageSumsRow['tokens'])[])
    into.tokens[name] += more.tokens[name];
  for (const [bin, count] of more.latencyBins) addToBin(into.latencyBins, bin, count);
}

/** The first hour of the window that an hour lies in. */
function windowStart(hour: number, { window, timeZone }: UsageCondition): number {
  if (window === 'last_hour' || window === 'last_15_minutes') return hour;
  if (window === 'last_day') return hour - 23;
  const { startMs } = windowAt(hour * HOUR_MS, {
    window,
    windowMs: null,
    sliding: false,
    timeZone,
    createdAtMs: 0,
  });
  return Math.floor(startMs / HOUR_MS);
}

/** What a rule on usage would have read at the end of each hour, oldest first. */
function* usageReadings(
  condition: UsageCondition,
  environment: TrafficScope['environment'],
  { hours, currentHour }: { hours: HourSums; currentHour: number },
): Generator<[hour: number, reading: Reading]> {
  const [any] = hours.values();
  if (any === undefined) return;
  const sums = (from: number, to: number): UsageSumsRow => {
    const all = emptySums(any);
    for (let hour = from; hour <= to; hour += 1) {
      const one = hours.get(hour);
      if (one !== undefined) add(all, one);
    }
    return all;
  };
  const first = currentHour - REHEARSAL_HOURS + 1;
  let start = windowStart(first, condition);
  let running = sums(start, first - 1);
  for (let hour = first; hour <= currentHour; hour += 1) {
    const begins = windowStart(hour, condition);
    // A calendar window grows hour by hour; one that moves with the clock is short enough to be added up anew.
    if (begins === start) {
      const one = hours.get(hour);
      if (one !== undefined) add(running, one);
    } else running = sums(begins, hour);
    start = begins;
    yield [hour, judgeUsage(condition, running, environment)];
  }
}

/** Edges by the evaluator's own rules, over readings in order. */
function edgesOver(
  rule: Rehearsed,
  readings: Iterable<[hour: number, reading: Reading]>,
  nowMs: number,
): Told[] {
  const judged: AlertRuleRow = {
    ...rule,
    id: '',
    name: '',
    severity: 'info',
    channelIds: [],
    notifyRecovery: true,
    enabled: true,
    createdAtMs: 0,
  };
  const states: AlertStateRow[] = [];
  const told: Told[] = [];
  for (const [hour, reading] of readings) {
    const atMs = Math.min((hour + 1) * HOUR_MS, nowMs);
    const { edges } = judge(judged, states, [reading], { nowMs: atMs, graceMs: 0 });
    for (const { before, reading: read, told: tells } of edges) {
      const { firing, subject, title } = read;
      if (firing && tells) told.push({ atMs, title });
      const lastFiredAtMs = firing ? atMs : (before?.lastFiredAtMs ?? null);
      states[0] = {
        ruleId: '',
        subject,
        version: 0,
        firing,
        sinceMs: atMs,
        lastFiredAtMs,
        lastSeenAtMs: atMs,
      };
    }
  }
  return told;
}

function* anomalyReadings(
  condition: Extract<AlertRuleRow['condition'], { kind: 'anomaly' }>,
  environment: TrafficScope['environment'],
  { hours, currentHour }: { hours: HourSums; currentHour: number },
): Generator<[hour: number, reading: Reading]> {
  const values = new Map([...hours].map(([hour, sums]) => [hour, metricOf(condition.metric, sums) ?? 0]));
  for (let hour = currentHour - REHEARSAL_HOURS + 1; hour <= currentHour; hour += 1) {
    const found = findAnomaly(values, hour, condition);
    const firing = found !== null && found !== 'unknown';
    const title = `${environment} was unusual`;
    yield [hour, { subject: environment, environment, firing, sinceMs: null, title, text: '', facts: [] }];
  }
}

/**
 * How often a rule would have told people over the last days, by the ledger's sums of hours and the rules of edges and
 * cool-downs that hold for it later. Read from whole hours, so a window that moves with the clock is about right.
 */
export async function rehearse(rule: Rehearsed, sources: AlertSources, nowMs: number): Promise<Rehearsal> {
  const { condition } = rule;
  if (condition.kind !== 'usage' && condition.kind !== 'anomaly')
    return impossible('What it watches is not kept hour by hour.');
  if (condition.kind === 'usage' && condition.window === 'last_15_minutes')
    return impossible('Quarters of an hour are not kept.');
  if (condition.kind === 'anomaly' && condition.by !== 'none')
    return impossible(`Each ${condition.by} by itself is looked at only while it runs.`);
  const currentHour = Math.floor(nowMs / HOUR_MS);
  const lead = condition.kind === 'usage' ? LONGEST_HOURS : HISTORY_HOURS;
  const range = {
    fromMs: (currentHour - REHEARSAL_HOURS - lead) * HOUR_MS,
    toMs: (currentHour + 1) * HOUR_MS,
  };
  const told: Told[] = [];
  for (const { environment, filter } of trafficScopes(rule, await sources.projects(rule.workspaceId))) {
    const points = await sources.usage.timeseries({ ...range, ...filter }, 'hour', null);
    const hours = new Map(points.map((point) => [point.bucketStartMs / HOUR_MS, point]));
    const at = { hours, currentHour };
    const readings =
      condition.kind === 'usage'
        ? usageReadings(condition, environment, at)
        : anomalyReadings(condition, environment, at);
    told.push(...edgesOver(rule, readings, nowMs));
  }
  return { possible: true, told: told.sort((a, b) => a.atMs - b.atMs) };
}

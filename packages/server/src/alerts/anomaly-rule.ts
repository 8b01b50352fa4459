import type { AnomalyCondition } from '@tallygate/contract/api/alerts';
import type { Environment } from '@tallygate/contract/api/projects';
import type { UsageGroup } from '@tallygate/contract/api/usage';
import type { AlertFact } from '../store/ports/alerts.ts';
import { amountText, METRIC_WORDS, metricOf } from './amounts.ts';
import { type Anomaly, findAnomaly, HISTORY_HOURS, HOUR_MS } from './anomaly.ts';
import { trafficPage } from './pages.ts';
import type { Reading } from './reading.ts';
import type { AlertSources } from './sources.ts';
import type { TrafficFilter, TrafficScope } from './traffic-scope.ts';

/** Of a group, at most this many are looked at: those with the most traffic in the hours that are judged. */
const MAX_GROUPS = 50;
const TOP = 3;
const WEEK_HOURS = 168;

interface Subject {
  /** Null for the whole scope. */
  key: string | null;
  label: string;
  filter: TrafficFilter;
}

function narrowed(filter: TrafficFilter, group: 'project' | 'key' | 'model', key: string): TrafficFilter {
  if (group === 'project') return { ...filter, projectIds: [key] };
  return group === 'key' ? { ...filter, apiKeyIds: [key] } : { ...filter, models: [key] };
}

/** What is judged by itself: the whole, or each project, key or model with traffic of late. */
async function subjectsOf(
  sources: AlertSources,
  { by, metric }: AnomalyCondition,
  { scope, currentHour }: { scope: TrafficScope; currentHour: number },
): Promise<Subject[]> {
  if (by === 'none') return [{ key: null, label: scope.environment, filter: scope.filter }];
  const range = { fromMs: (currentHour - 1) * HOUR_MS, toMs: (currentHour + 1) * HOUR_MS };
  const rows = await sources.usage.breakdown({ ...range, ...scope.filter }, by);
  const busiest = rows
    .map((row) => ({ key: row.groupKey, value: metricOf(metric, row) ?? 0 }))
    .filter((row): row is { key: string; value: number } => row.key !== null && row.value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, MAX_GROUPS);
  return Promise.all(
    busiest.map(async ({ key }) => ({
      key,
      label: `${by} ${await sources.label(scope.filter.workspaceId ?? '', by, key)}`,
      filter: narrowed(scope.filter, by, key),
    })),
  );
}

/** What rose most against an average hour of the week before, by what the subject is not already. */
async function contributors(
  sources: AlertSources,
  { by, metric }: AnomalyCondition,
  { filter, hour }: { filter: TrafficFilter; hour: number },
): Promise<AlertFact[]> {
  const now = { fromMs: hour * HOUR_MS, toMs: (hour + 1) * HOUR_MS, ...filter };
  const before = { fromMs: (hour - WEEK_HOURS) * HOUR_MS, toMs: hour * HOUR_MS, ...filter };
  const groups: UsageGroup[] = (['key', 'model'] as const).filter((group) => group !== by);
  const facts: AlertFact[] = [];
  for (const group of groups) {
    const earlier = new Map(
      (await sources.usage.breakdown(before, group)).map((row) => [row.groupKey, metricOf(metric, row) ?? 0]),
    );
    const risen = (await sources.usage.breakdown(now, group))
      .map((row) => {
        const value = metricOf(metric, row) ?? 0;
        const usual = (earlier.get(row.groupKey) ?? 0) / WEEK_HOURS;
        return { key: row.groupKey, value, usual };
      })
      .filter(({ value, usual }) => value > usual)
      .sort((a, b) => b.value - b.usual - (a.value - a.usual))
      .slice(0, TOP);
    if (risen.length === 0) continue;
    const words = await Promise.all(
      risen.map(
        async ({ key, value, usual }) =>
          `${await sources.label(filter.workspaceId ?? '', group, key)}: ${amountText(metric, value)} (on average ${amountText(metric, usual)})`,
      ),
    );
    facts.push({ label: `Most of it by ${group}`, value: words.join(', ') });
  }
  return facts;
}

const hourText = (hour: number): string =>
  `${new Date(hour * HOUR_MS).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function readingOf(
  { metric }: AnomalyCondition,
  { subject, environment }: { subject: Subject; environment: Environment },
  found: Anomaly | 'unknown' | null,
): Reading {
  const base = {
    subject: subject.key === null ? environment : `${environment}|${subject.key}`.slice(0, 300),
    environment,
  };
  const name = METRIC_WORDS[metric];
  const where = subject.key === null ? environment : `${subject.label} (${environment})`;
  if (found === null || found === 'unknown') {
    const text = found === null ? 'as usual again' : 'not judged: there is too little history';
    return {
      ...base,
      firing: false,
      sinceMs: null,
      title: `${name} of ${where}: ${text}`,
      text: `${name} of ${where} is ${text}.`,
      facts: [],
    };
  }
  const { value, baseline, sinceHour, hour } = found;
  const { usual, season, samples } = baseline;
  const compared =
    usual > 0
      ? `${(value / usual).toFixed(1)} times the usual ${amountText(metric, usual)}`
      : 'where there is usually nothing';
  return {
    ...base,
    firing: true,
    sinceMs: sinceHour * HOUR_MS,
    title: `${name} of ${where} is unusual: ${amountText(metric, value)} in an hour`,
    text: `${name} of ${where} came to ${amountText(metric, value)} in the hour from ${hourText(hour)}, ${compared}. It has been unusual since ${hourText(sinceHour)}.`,
    facts: [
      { label: 'Measured', value: amountText(metric, value) },
      {
        label: 'Usual',
        value: `${amountText(metric, usual)}, give or take ${amountText(metric, baseline.scale)}`,
      },
      { label: 'Compared with', value: `the same ${season}, ${samples} times` },
    ],
  };
}

/** Traffic that is far above what is usual at this hour; says what, how far, since when, and who brings it about. */
export async function readAnomalies(
  sources: AlertSources,
  condition: AnomalyCondition,
  { scopes, nowMs }: { scopes: readonly TrafficScope[]; nowMs: number },
): Promise<Reading[]> {
  const currentHour = Math.floor(nowMs / HOUR_MS);
  const history = { fromMs: (currentHour - HISTORY_HOURS) * HOUR_MS, toMs: (currentHour + 1) * HOUR_MS };
  const readings: Reading[] = [];
  for (const scope of scopes) {
    for (const subject of await subjectsOf(sources, condition, { scope, currentHour })) {
      const points = await sources.usage.timeseries({ ...history, ...subject.filter }, 'hour', null);
      const values = new Map(
        points.map((point) => [point.bucketStartMs / HOUR_MS, metricOf(condition.metric, point) ?? 0]),
      );
      const found = findAnomaly(values, currentHour, condition);
      const { environment } = scope;
      const judgedHour = found === null || found === 'unknown' ? currentHour : found.hour;
      const span = { fromMs: judgedHour * HOUR_MS, toMs: (judgedHour + 1) * HOUR_MS };
      const reading = {
        ...readingOf(condition, { subject, environment }, found),
        path: trafficPage(condition.metric, { environment, filter: subject.filter }, span),
      };
      const explain =
        found === null || found === 'unknown'
          ? undefined
          : () => contributors(sources, condition, { filter: subject.filter, hour: found.hour });
      readings.push(explain === undefined ? reading : { ...reading, explain });
    }
  }
  return readings;
}

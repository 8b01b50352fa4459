import type { AlertMetric, AnomalyMetric } from '@tallygate/contract/api/alerts';
import type { BudgetMeasure } from '@tallygate/contract/api/budgets';
import { formatNanoUsd } from '@tallygate/contract/money';
import { countOf, quantile } from '../accounting/latency-histogram.ts';
import type { UsageSumsRow } from '../store/store.ts';

type Sums = Pick<UsageSumsRow, 'requests' | 'errors' | 'unpricedRequests' | 'costNanoUsd' | 'tokens'> &
  Partial<Pick<UsageSumsRow, 'latencyBins'>>;

export const tokensOf = ({ tokens }: Pick<UsageSumsRow, 'tokens'>): number =>
  Object.values(tokens).reduce((sum, count) => sum + count, 0);

/** What a rule measures: nano-USD, counts, per cent or milliseconds; null when there is nothing to measure. */
export function metricOf(metric: AlertMetric | AnomalyMetric, sums: Sums): number | null {
  switch (metric) {
    case 'spend':
      return Number(sums.costNanoUsd);
    case 'tokens':
      return tokensOf(sums);
    case 'requests':
      return sums.requests;
    case 'errors':
      return sums.errors;
    case 'unpriced_requests':
      return sums.unpricedRequests;
    case 'error_rate':
      return sums.requests === 0 ? null : (sums.errors / sums.requests) * 100;
    case 'latency_p95':
      return sums.latencyBins === undefined ? null : quantile(sums.latencyBins, 0.95);
  }
}

/** How many measurements a rate or a percentile stands on. */
export function basisOf(metric: AlertMetric, sums: UsageSumsRow): number {
  return metric === 'latency_p95' ? countOf(sums.latencyBins) : sums.requests;
}

export const METRIC_WORDS: Readonly<Record<AlertMetric | AnomalyMetric, string>> = {
  spend: 'Spend',
  tokens: 'Tokens',
  requests: 'Requests',
  errors: 'Errors',
  error_rate: 'Error rate',
  latency_p95: 'Latency (p95)',
  unpriced_requests: 'Requests without a price',
};

const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');

function dollars(nanoUsd: number): string {
  const nano = BigInt(Math.round(nanoUsd));
  const cent = 10_000_000n;
  // Below a cent every digit counts; above, cents are what people talk about.
  const shown = nano >= cent ? ((nano + cent / 2n) / cent) * cent : nano;
  const [whole = '0', fraction = ''] = formatNanoUsd(shown).split('.');
  return `$${whole}.${fraction.padEnd(2, '0')}`;
}

/** A measured value in words. */
export function amountText(metric: AlertMetric | AnomalyMetric, value: number): string {
  if (metric === 'spend') return dollars(value);
  if (metric === 'error_rate') return `${value.toFixed(1)} %`;
  return metric === 'latency_p95' ? `${count(value)} ms` : count(value);
}

/** An amount in a budget's measure, in words. */
export function budgetText(measure: BudgetMeasure, amount: number): string {
  return measure === 'usd' ? dollars(amount) : `${count(amount)} ${measure.replace('_', ' ')}`;
}

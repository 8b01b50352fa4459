import type { ErrorCode } from '@tallygate/contract/errors';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { UsageEvent } from '../accounting/usage-event.ts';
import { totalInputTokens, totalOutputTokens } from '../accounting/weighted-tokens.ts';

/** What the gateway counts. Labels are bounded: no ids and no text that a client chooses. */
export interface GatewayMetrics {
  started(): void;
  ended(): void;
  /** An error answered by the gate itself. */
  refused(code: ErrorCode): void;
  settled(event: UsageEvent): void;
}

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Sums of one provider, kept as plain numbers and handed to Prometheus when it asks. */
interface ProviderSums {
  requests: Map<string, number>;
  costUsd: number;
  unpriced: number;
  inputTokens: number;
  outputTokens: number;
  duration: Histogram.Internal<'provider'>;
  ttft: Histogram.Internal<'provider'>;
}

const bump = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);

interface CounterSpec<L extends string> {
  registry: Registry;
  name: string;
  help: string;
  labelNames: readonly L[];
  /** Calls back with each labelled total. */
  each(report: (labels: Record<L, string>, total: number) => void): void;
}

/** A counter whose totals are read when it is collected: on the hot path an increment is one addition. */
function registerCounter<L extends string>({ registry, name, help, labelNames, each }: CounterSpec<L>): void {
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      each((labels, total) => this.inc(labels as Parameters<typeof this.inc>[0] & object, total));
    },
  });
}

function registerHistogram(registry: Registry, name: string, help: string): Histogram<'provider'> {
  return new Histogram({
    name,
    help,
    labelNames: ['provider'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
}

function registerProviderCounters(registry: Registry, sums: ReadonlyMap<string, ProviderSums>): void {
  const perProvider = (name: string, help: string, total: (of: ProviderSums) => number): void =>
    registerCounter({
      registry,
      name,
      help,
      labelNames: ['provider'],
      each(report) {
        for (const [provider, of] of sums) report({ provider }, total(of));
      },
    });
  perProvider('tallygate_cost_usd_total', 'Known cost of settled requests', (of) => of.costUsd);
  perProvider(
    'tallygate_unpriced_requests_total',
    'Requests with usage but without a price',
    (of) => of.unpriced,
  );
  registerCounter({
    registry,
    name: 'tallygate_requests_total',
    help: 'Settled requests',
    labelNames: ['provider', 'status'],
    each(report) {
      for (const [provider, of] of sums)
        for (const [status, total] of of.requests) report({ provider, status }, total);
    },
  });
  registerCounter({
    registry,
    name: 'tallygate_tokens_total',
    help: 'Tokens of settled requests',
    labelNames: ['provider', 'direction'],
    each(report) {
      for (const [provider, of] of sums) {
        report({ provider, direction: 'input' }, of.inputTokens);
        report({ provider, direction: 'output' }, of.outputTokens);
      }
    },
  });
}

function addSettled(of: ProviderSums, event: UsageEvent): void {
  bump(of.requests, event.status);
  if (event.costNanoUsd !== null) of.costUsd += Number(event.costNanoUsd) / 1e9;
  if (event.priceStatus === 'unpriced') of.unpriced += 1;
  of.inputTokens += totalInputTokens(event.tokens);
  of.outputTokens += totalOutputTokens(event.tokens);
  if (event.latencyMs !== null) of.duration.observe(event.latencyMs / 1000);
  if (event.ttftMs !== null) of.ttft.observe(event.ttftMs / 1000);
}

/** Registers the gateway's metrics. */
export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  let inFlight = 0;
  new Gauge({
    name: 'tallygate_requests_in_flight',
    help: 'Requests on their way',
    registers: [registry],
    collect() {
      this.set(inFlight);
    },
  });
  const refusals = new Map<string, number>();
  registerCounter({
    registry,
    name: 'tallygate_refusals_total',
    help: 'Errors answered by the gate itself',
    labelNames: ['code'],
    each(report) {
      for (const [code, total] of refusals) report({ code }, total);
    },
  });
  const sums = new Map<string, ProviderSums>();
  registerProviderCounters(registry, sums);
  const duration = registerHistogram(
    registry,
    'tallygate_request_duration_seconds',
    'From arrival to the last byte of the answer',
  );
  const ttft = registerHistogram(
    registry,
    'tallygate_time_to_first_token_seconds',
    'From arrival to the first content of a stream',
  );
  return {
    started: () => void inFlight++,
    ended: () => void inFlight--,
    refused: (code) => bump(refusals, code),
    settled(event) {
      let of = sums.get(event.provider);
      if (of === undefined) {
        const { provider } = event;
        const labels = { duration: duration.labels(provider), ttft: ttft.labels(provider) };
        of = { requests: new Map(), costUsd: 0, unpriced: 0, inputTokens: 0, outputTokens: 0, ...labels };
        sums.set(provider, of);
      }
      addSettled(of, event);
    },
  };
}

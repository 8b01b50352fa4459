import type { ErrorCode } from '@tallygate/contract/errors';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { UsageEvent } from '../accounting/usage-event.ts';

/** What the gateway counts. Labels are bounded: no ids and no text that a client chooses. */
export interface GatewayMetrics {
  started(): void;
  ended(): void;
  /** An error answered by the gate itself. */
  refused(code: ErrorCode): void;
  settled(event: UsageEvent): void;
}

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const INPUT = [
  'inputUncached',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'cacheWriteOther',
  'inputAudio',
  'cacheReadAudio',
  'inputImage',
  'inputTool',
] as const;
const OUTPUT = ['outputVisible', 'outputReasoning', 'outputAudio', 'outputImage'] as const;

/**
 * A counter kept as plain numbers and handed to Prometheus when it asks: on the hot path an increment is one
 * addition to a map entry.
 */
class Tally {
  readonly #values = new Map<string, { labels: Record<string, string>; value: number }>();

  add(key: string, labels: () => Record<string, string>, value: number): void {
    const entry = this.#values.get(key);
    if (entry) entry.value += value;
    else this.#values.set(key, { labels: labels(), value });
  }

  static register(options: { registry: Registry; name: string; help: string; labelNames: string[] }): Tally {
    const tally = new Tally();
    new Counter({
      name: options.name,
      help: options.help,
      labelNames: options.labelNames,
      registers: [options.registry],
      collect() {
        this.reset();
        for (const { labels, value } of tally.#values.values()) this.inc(labels, value);
      },
    });
    return tally;
  }
}

function sum(event: UsageEvent, buckets: readonly (keyof UsageEvent['tokens'])[]): number {
  let total = 0;
  for (const bucket of buckets) total += event.tokens[bucket] ?? 0;
  return total;
}

/** Observes seconds by provider; the labelled child is looked up once for each provider. */
type Observe = (provider: string, seconds: number) => void;

function registerHistogram(registry: Registry, name: string, help: string): Observe {
  const histogram = new Histogram({
    name,
    help,
    labelNames: ['provider'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  const children = new Map<string, ReturnType<typeof histogram.labels>>();
  return (provider, seconds) => {
    let child = children.get(provider);
    if (child === undefined) {
      child = histogram.labels(provider);
      children.set(provider, child);
    }
    child.observe(seconds);
  };
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
  const tally = (name: string, help: string, labelNames: string[]) =>
    Tally.register({ registry, name, help, labelNames });
  const refusals = tally('tallygate_refusals_total', 'Errors answered by the gate itself', ['code']);
  const requests = tally('tallygate_requests_total', 'Settled requests', ['provider', 'status']);
  const cost = tally('tallygate_cost_usd_total', 'Known cost of settled requests', ['provider']);
  const unpriced = tally('tallygate_unpriced_requests_total', 'Requests with usage but without a price', [
    'provider',
  ]);
  const tokens = tally('tallygate_tokens_total', 'Tokens of settled requests', ['provider', 'direction']);
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
    refused: (code) => refusals.add(code, () => ({ code }), 1),
    settled(event) {
      const { provider, status } = event;
      requests.add(`${provider} ${status}`, () => ({ provider, status }), 1);
      if (event.costNanoUsd !== null)
        cost.add(provider, () => ({ provider }), Number(event.costNanoUsd) / 1e9);
      if (event.priceStatus === 'unpriced') unpriced.add(provider, () => ({ provider }), 1);
      tokens.add(`${provider} input`, () => ({ provider, direction: 'input' }), sum(event, INPUT));
      tokens.add(`${provider} output`, () => ({ provider, direction: 'output' }), sum(event, OUTPUT));
      if (event.latencyMs !== null) duration(provider, event.latencyMs / 1000);
      if (event.ttftMs !== null) ttft(provider, event.ttftMs / 1000);
    },
  };
}

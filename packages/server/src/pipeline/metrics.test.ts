import { sampleEvent } from '@tallygate/testkit/sample-event';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createGatewayMetrics } from './metrics.ts';

/** Values by metric and labels, as a scrape shows them. */
async function scrape(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('gateway metrics (WT-14)', () => {
  it('add up what was settled, by provider and outcome, and never by anything a client chooses', async () => {
    const registry = new Registry();
    const metrics = createGatewayMetrics(registry);
    const event = {
      ...sampleEvent('a'),
      provider: 'p',
      modelServed: 'client-chosen',
      latencyMs: 40,
      ttftMs: 20,
    };
    metrics.settled({ ...event, status: 'ok', costNanoUsd: 250_000_000n, priceStatus: 'priced' });
    metrics.settled({ ...event, status: 'ok', costNanoUsd: 250_000_000n, priceStatus: 'priced' });
    metrics.settled({
      ...event,
      status: 'aborted',
      costNanoUsd: null,
      priceStatus: 'unpriced',
      ttftMs: null,
    });
    metrics.refused('invalid_api_key');
    metrics.started();
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const values = await scrape(registry);
      expect(values.get('tallygate_requests_total{provider="p",status="ok"}')).toBe(2);
      expect(values.get('tallygate_requests_total{provider="p",status="aborted"}')).toBe(1);
      expect(values.get('tallygate_cost_usd_total{provider="p"}')).toBe(0.5);
      expect(values.get('tallygate_unpriced_requests_total{provider="p"}')).toBe(1);
      expect(values.get('tallygate_request_duration_seconds_count{provider="p"}')).toBe(3);
      expect(values.get('tallygate_time_to_first_token_seconds_count{provider="p"}')).toBe(2);
      expect(values.get('tallygate_refusals_total{code="invalid_api_key"}')).toBe(1);
      expect(values.get('tallygate_requests_in_flight')).toBe(1);
      expect([...values.keys()].join()).not.toContain('client-chosen');
    }
  });
});

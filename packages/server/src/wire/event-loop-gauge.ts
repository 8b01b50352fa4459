import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const RESOLUTION_MS = 10;
const QUANTILES = [
  { label: '0.5', percentile: 50 },
  { label: '0.99', percentile: 99 },
  { label: '0.999', percentile: 99.9 },
] as const;

/** Exposes how long the event loop keeps callbacks waiting, since the previous scrape; `max` is the worst. */
export function registerEventLoopGauge(registry: Registry): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // The histogram holds whole intervals: what exceeds the sampling interval is the delay.
  const beyondInterval = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
  new Gauge({
    name: 'tallygate_event_loop_delay_seconds',
    help: 'Delay of the event loop since the previous scrape',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const { label, percentile } of QUANTILES) {
        this.set({ quantile: label }, beyondInterval(delay.percentile(percentile)));
      }
      this.set({ quantile: 'max' }, beyondInterval(delay.max));
      delay.reset();
    },
  });
  return () => delay.disable();
}

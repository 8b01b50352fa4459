import { Counter, type Registry } from 'prom-client';

/**
 * What came of the wish to know a prompt's tokens: the provider `counted` them, they were `remembered` of an earlier
 * asking, it `failed` or took too long, or so many were asked at once that this one was `passed_over`.
 */
export type CountOutcome = 'counted' | 'remembered' | 'failed' | 'passed_over';

const OUTCOMES: readonly CountOutcome[] = ['counted', 'remembered', 'failed', 'passed_over'];

/** Registers the counter of these, at zero from the start. */
export function createCountMetrics(registry: Registry): (outcome: CountOutcome) => void {
  const counter = new Counter({
    name: 'tallygate_budget_input_counts_total',
    help: 'Requests near the cap of a budget whose input the provider was to count, by what came of it',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) counter.inc({ outcome }, 0);
  return (outcome) => counter.inc({ outcome });
}

import type { LimitView } from '@tallygate/contract/api/limits';
import type { RateCounter } from '../../limits/rate-counter.ts';
import type { RateEngine } from '../../limits/rate-engine.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import { toIso } from '../instant.ts';
import { type ScopeNames, scopeLabel, scopeText } from '../scope-input.ts';

/** Counts that a view shows; the rest is a number. */
const MOST_SHOWN = 10;

/** Whose count it is, as people know it. */
function counterLabel({ limit: { per }, partition }: RateCounter, { names, users }: ScopeNames): string {
  if (partition === '*') return 'all others';
  if (per === 'key' || per === 'project' || per === 'account') return names.label(per, partition);
  return per === 'user' ? users.nameOf(partition) : partition;
}

export function limitView(
  row: LimitRow,
  engine: RateEngine,
  { names, nowMs }: { names: ScopeNames; nowMs: number },
): LimitView {
  const { total, used } = engine.counters(row.id, nowMs, MOST_SHOWN);
  const { id, name, scope, per, measure, limit, window, burst } = row;
  return {
    id,
    name,
    scope: scopeText(scope, names),
    scopeLabel: scopeLabel(scope, names),
    per,
    measure,
    limit,
    window,
    burst,
    createdAt: toIso(row.createdAtMs),
    status: {
      counting: total,
      fullest: used.map((counter) => ({
        label: counterLabel(counter, names),
        used: counter.used(nowMs),
        held: counter.held,
        left: counter.left(nowMs),
      })),
    },
  };
}

import type { LimitView } from '@tallygate/contract/api/limits';
import type { RateStanding, RateState } from '../../limits/rate-state.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import { toIso } from '../instant.ts';
import { type ScopeNames, scopeLabel, scopeText } from '../scope-input.ts';

/** Counts that a view shows; the rest is a number. */
const MOST_SHOWN = 10;

/** Whose count it is, as people know it. */
function standingLabel({ limit: { per }, partition }: RateStanding, { names, users }: ScopeNames): string {
  if (partition === '*') return 'all others';
  if (per === 'key' || per === 'project' || per === 'account') return names.label(per, partition);
  return per === 'user' ? users.nameOf(partition) : partition;
}

export async function limitView(
  row: LimitRow,
  state: RateState,
  { names, nowMs }: { names: ScopeNames; nowMs: number },
): Promise<LimitView> {
  const { total, fullest } = await state.standings(row.id, nowMs, MOST_SHOWN);
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
      fullest: fullest.map((standing) => {
        const { used, held, left } = standing;
        return { label: standingLabel(standing, names), used, held, left };
      }),
    },
  };
}

import { rollupRange, rollupRebuildResponse, rollupVerifyResponse } from '@tallygate/contract/api/system';
import type { z } from 'zod';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toIso, toMs } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { createSingleFlight } from '../single-flight.ts';

function rangeOf(body: z.output<typeof rollupRange>): [fromMs: number | null, toMs: number | null] {
  const fromMs = body.from === undefined ? null : toMs(body.from);
  const end = body.to === undefined ? null : toMs(body.to);
  if (fromMs !== null && end !== null) assertForward(fromMs, end, { in: 'body', path: 'to' });
  return [fromMs, end];
}

/** Proof and repair of the sums (TW-21). */
export function rollupRoutes(deps: AdminDeps): AdminRoute[] {
  const { maintenance } = deps.store;
  const alone = createSingleFlight('A rebuild or verification of the rollups');
  const guarded = {
    access: 'permitted',
    permission: 'system.manage',
    method: 'POST',
    rateClass: 'heavy',
  } as const;
  return [
    jsonRoute({
      ...guarded,
      path: '/api/rollups/rebuild',
      summary: 'Recompute the hourly and daily sums of a range from the rows',
      body: rollupRange,
      response: rollupRebuildResponse,
      async handler({ body }) {
        const [fromMs, end] = rangeOf(body);
        const result = await alone(() => maintenance.rebuildRollups(fromMs, end));
        return {
          body: {
            from: toIso(result.fromMs),
            to: toIso(result.toMs),
            events: result.events,
            rollupRows: result.rollupRows,
          },
        };
      },
    }),
    jsonRoute({
      ...guarded,
      path: '/api/rollups/verify',
      summary: 'Compare the hourly and daily sums of a range with the rows',
      body: rollupRange,
      response: rollupVerifyResponse,
      async handler({ body }) {
        const [fromMs, end] = rangeOf(body);
        const result = await alone(() => maintenance.verifyRollups(fromMs, end));
        return { body: { ok: result.differences.length === 0, ...result } };
      },
    }),
  ];
}

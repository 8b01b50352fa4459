import { z } from 'zod';

/** How an account is chosen among those that are as good as one another for a call. */
export const POOL_STRATEGIES = [
  'session',
  'priority',
  'weighted',
  'round-robin',
  'least-used',
  'lowest-latency',
  'drain-soonest-reset',
] as const;

export const poolStrategySchema = z.enum(POOL_STRATEGIES);
export const poolResponse = z.object({
  strategy: poolStrategySchema,
  /** True when it was chosen here; false when it is the setting of the server. */
  chosen: z.boolean(),
});
/** Null goes back to the setting of the server. */
export const poolUpdateRequest = z.object({ strategy: poolStrategySchema.nullable() }).strict();

export type PoolStrategy = z.infer<typeof poolStrategySchema>;
export type PoolView = z.infer<typeof poolResponse>;

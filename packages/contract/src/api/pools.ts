import { z } from 'zod';
import { idSchema, instantSchema, nameSchema } from './common.ts';
import { poolStrategySchema } from './pool.ts';

export const notesSchema = z.string().trim().max(2000);
export const MAX_POOLS = 100;

const members = z.array(idSchema).max(500);

export const poolCreateRequest = z
  .object({
    name: nameSchema,
    /** Default `session`. */
    strategy: poolStrategySchema.optional(),
    accountIds: members,
    notes: notesSchema.optional(),
  })
  .strict();
export const namedPoolUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    strategy: poolStrategySchema.optional(),
    accountIds: members.optional(),
    notes: notesSchema.nullable().optional(),
  })
  .strict();

/** Sums over the last seven days. */
const poolWeek = z.object({
  attempts: z.number().int(),
  served: z.number().int(),
  limited: z.number().int(),
  refused: z.number().int(),
  failed: z.number().int(),
  /** Sessions that changed their account while their prompt cache was warm. */
  sessionsMoved: z.number().int(),
  cacheLostTokens: z.number().int(),
  /** What those tokens cost more than from the cache. */
  cacheLossUsd: z.string(),
});
export const namedPoolResponse = z.object({
  id: z.string(),
  name: z.string(),
  strategy: poolStrategySchema,
  notes: z.string().nullable(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })),
  createdAt: z.string(),
  week: poolWeek,
});
export const poolListResponse = z.object({
  pools: z.array(namedPoolResponse),
  /** The pool of all accounts, which serves whatever no rule sends elsewhere. */
  all: z.object({ strategy: poolStrategySchema, chosen: z.boolean(), week: poolWeek }),
});

export const healthQuery = z.object({ from: instantSchema, to: instantSchema });
export const healthResponse = z.object({
  from: z.string(),
  to: z.string(),
  /** One entry an hour with traffic; hours without are absent. */
  hours: z.array(poolWeek.extend({ at: z.string() })),
});

export type NamedPoolView = z.infer<typeof namedPoolResponse>;
export type PoolListView = z.infer<typeof poolListResponse>;
export type PoolWeekView = z.infer<typeof poolWeek>;
export type HealthView = z.infer<typeof healthResponse>;

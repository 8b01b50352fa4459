import { z } from 'zod';
import { idSchema, nameSchema } from './common.ts';

/** `weighted_tokens`: as if all were uncached input; output counts five, a cache read a tenth. */
export const BUDGET_MEASURES = ['usd', 'tokens', 'weighted_tokens', 'requests'] as const;
export type BudgetMeasure = (typeof BUDGET_MEASURES)[number];
/** `custom`: so many hours, one after the other, the first from when the budget was made. */
export const BUDGET_WINDOWS = ['hour', 'day', 'week', 'month', 'total', 'custom'] as const;
export type BudgetWindow = (typeof BUDGET_WINDOWS)[number];
/** `hard` refuses, `soft` counts and flags, `clamp` lowers the output limit to what is left and then refuses. */
export const BUDGET_MODES = ['hard', 'soft', 'clamp'] as const;
export type BudgetMode = (typeof BUDGET_MODES)[number];
/** `provisional`: tokens of models without a price count at a price that the budget names. */
export const UNPRICED_POLICIES = ['refuse', 'allow', 'provisional'] as const;
/** Ten years: longer than any budget runs. */
export const MAX_WINDOW_HOURS = 87_600;
export type UnpricedPolicy = (typeof UNPRICED_POLICIES)[number];

/** While the state that nodes share is out of reach: `closed` lets nothing through, `open` lets everything through and counts it later. */
export const OUTAGE_POLICIES = ['closed', 'open'] as const;
export type OutagePolicy = (typeof OUTAGE_POLICIES)[number];

/** Beyond nine million dollars nano-USD leave the numbers that a program counts exactly. */
export const MAX_LIMIT_USD = 9_000_000;

const limitUsd = z
  .string()
  .regex(/^\d{1,7}(\.\d{1,9})?$/, 'must be an amount of dollars with at most nine decimals')
  .refine((text) => Number(text) <= MAX_LIMIT_USD, `must be at most ${MAX_LIMIT_USD}`);
const provisionalUsd = z
  .string()
  .regex(/^\d{1,5}(\.\d{1,6})?$/, 'must be an amount of dollars below 100,000 with at most six decimals');
const limitCount = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const limits = {
  limitUsd: limitUsd.nullish(),
  limitTokens: limitCount.nullish(),
  limitWeightedTokens: limitCount.nullish(),
  limitRequests: limitCount.nullish(),
};

export const budgetCreateRequest = z
  .object({
    /** `workspace`, or kind and value such as `project:web`; several with commas, all of which have to match. */
    scope: z.string().min(1).max(300),
    name: nameSchema.optional(),
    ...limits,
    window: z.enum(BUDGET_WINDOWS),
    /** For `custom`, and for nothing else. */
    windowHours: z.number().int().min(1).max(MAX_WINDOW_HOURS).optional(),
    /** It never starts anew: what was spent leaves when the length of the window has passed. Not for `total`. */
    sliding: z.boolean().optional(),
    mode: z.enum(BUDGET_MODES).optional(),
    /** IANA name, UTC when left out. */
    timeZone: z.string().min(1).max(64).optional(),
    unpriced: z.enum(UNPRICED_POLICIES).optional(),
    onOutage: z.enum(OUTAGE_POLICIES).optional(),
    /** Dollars for a million tokens, in and out: for `provisional`, and for nothing else. */
    provisionalUsdPerMtok: provisionalUsd.optional(),
  })
  .strict();

/** Scope, window, time zone and measure stay: they are what the budget's books are about. */
export const budgetUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    ...limits,
    mode: z.enum(BUDGET_MODES).optional(),
    unpriced: z.enum(UNPRICED_POLICIES).optional(),
    onOutage: z.enum(OUTAGE_POLICIES).optional(),
    provisionalUsdPerMtok: provisionalUsd.optional(),
  })
  .strict();

/** An amount in the budget's measure: decimal dollars as text, or a count. */
const amount = z.union([z.string(), z.number().int()]);

export const budgetResponse = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.string(),
  /** The scope as people know it: the name of the key or account, the slug of the project. */
  scopeLabel: z.string(),
  measure: z.enum(BUDGET_MEASURES),
  limitUsd: z.string().nullable(),
  limitTokens: z.number().int().nullable(),
  limitWeightedTokens: z.number().int().nullable(),
  limitRequests: z.number().int().nullable(),
  window: z.enum(BUDGET_WINDOWS),
  windowHours: z.number().int().nullable(),
  sliding: z.boolean(),
  timeZone: z.string(),
  mode: z.enum(BUDGET_MODES),
  unpriced: z.enum(UNPRICED_POLICIES),
  onOutage: z.enum(OUTAGE_POLICIES),
  provisionalUsdPerMtok: z.string().nullable(),
  createdAt: z.string(),
  status: z.object({
    windowStart: z.string(),
    /** Null for a total, which never starts anew; of a sliding one, when everything that counts now will have left. */
    resetsAt: z.string().nullable(),
    spent: amount,
    /** Kept back for requests on their way. */
    held: amount,
    /** Never below zero. */
    left: amount,
    /** Spent over limit; null when the limit is zero. */
    utilisation: z.number().nullable(),
    exceeded: z.boolean(),
  }),
});
export type BudgetView = z.infer<typeof budgetResponse>;
export const budgetListResponse = z.object({ budgets: z.array(budgetResponse) });

export const budgetHoldsQuery = z.object({ budget: idSchema.optional() });
export const budgetHoldsResponse = z.object({
  holds: z.array(
    z.object({
      requestId: z.string(),
      startedAt: z.string(),
      clampedTo: z.number().int().nullable(),
      budgets: z.array(
        z.object({ id: z.string(), name: z.string(), measure: z.enum(BUDGET_MEASURES), held: amount }),
      ),
    }),
  ),
});
export type BudgetHoldsView = z.infer<typeof budgetHoldsResponse>;

export const budgetHistoryResponse = z.object({
  /** Newest first; the first is the current one. */
  windows: z.array(z.object({ start: z.string(), end: z.string().nullable(), spent: amount })),
  /** Who used the current window most; keys, or models for a budget of models. */
  users: z.array(
    z.object({ kind: z.enum(['key', 'model']), id: z.string(), label: z.string(), spent: amount }),
  ),
});
export type BudgetHistoryView = z.infer<typeof budgetHistoryResponse>;

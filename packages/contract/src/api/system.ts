import { z } from 'zod';
import { instantSchema } from './common.ts';
import { costLine } from './usage.ts';

export const healthResponse = z.object({ ok: z.literal(true) });
export const readyResponse = z.object({
  ok: z.boolean(),
  /** `reason` says in words what is wrong; null when nothing is. */
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), reason: z.string().nullable() })),
});
export const systemResponse = z.object({
  version: z.string(),
  startedAt: z.string(),
  store: z.object({ kind: z.string(), schemaVersion: z.number().int() }),
  journal: z.object({
    state: z.enum(['ok', 'degraded', 'full']),
    backlogEntries: z.number().int(),
    fsync: z.enum(['process', 'disk']),
  }),
  prices: z.object({ version: z.string(), cards: z.number().int() }),
  /** What is in force and should not stay so, in words. */
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});
export const rollupRange = z
  .object({ from: instantSchema.optional(), to: instantSchema.optional() })
  .strict();
export const rollupRebuildResponse = z.object({
  from: z.string(),
  to: z.string(),
  events: z.number().int(),
  rollupRows: z.number().int(),
});
export const rollupVerifyResponse = z.object({
  ok: z.boolean(),
  bucketsChecked: z.number().int(),
  differences: z.array(
    z.object({ bucket: z.string(), field: z.string(), rollup: z.string(), rows: z.string() }),
  ),
});
export const backupRequest = z.object({ path: z.string().min(1).max(4096) }).strict();
export const backupResponse = z.object({
  path: z.string(),
  bytes: z.number().int(),
  events: z.number().int(),
  costUsd: z.string(),
});
export const priceQuoteRequest = z
  .object({
    provider: z.string().min(1).max(64),
    model: z.string().min(1).max(200),
    at: instantSchema.optional(),
    answer: z.unknown(),
  })
  .strict();
export const priceQuoteResponse = z.object({
  costUsd: z.string().nullable(),
  priceStatus: z.string(),
  card: z.string().nullable(),
  lines: z.array(costLine.extend({ model: z.string() })),
});
export type SystemView = z.infer<typeof systemResponse>;
export type PriceQuote = z.infer<typeof priceQuoteResponse>;

const rateText = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,6})?$/, 'US dollars per million tokens as a decimal number');
/** Operator override of a card: US dollars per million tokens, `"0"` for explicitly free. */
export const priceOverrideRequest = z
  .object({
    provider: z.string().min(1).max(64),
    model: z.string().min(1).max(200),
    validFrom: instantSchema.optional(),
    validTo: instantSchema.optional(),
    usdPerMillion: z
      .object({
        input: rateText,
        output: rateText,
        cacheRead: rateText.optional(),
        cacheWrite5m: rateText.optional(),
        cacheWrite1h: rateText.optional(),
      })
      .strict(),
    note: z.string().max(500).optional(),
  })
  .strict();
export const priceOverrideResponse = priceOverrideRequest.extend({ id: z.string(), createdAt: z.string() });
export const priceOverrideListResponse = z.object({ overrides: z.array(priceOverrideResponse) });
export type PriceOverrideView = z.infer<typeof priceOverrideResponse>;

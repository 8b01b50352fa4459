import { z } from 'zod';
import { idSchema, nameSchema } from './common.ts';

/** What a limit counts. Input is everything sent, read from a cache or not. */
export const LIMIT_MEASURES = [
  'requests',
  'tokens',
  'input_tokens',
  'output_tokens',
  'concurrent_requests',
  'concurrent_streams',
] as const;
export type LimitMeasure = (typeof LIMIT_MEASURES)[number];

/** Who has a count of their own. */
export const LIMIT_PERS = ['all', 'key', 'user', 'project', 'address', 'session', 'account'] as const;
export type LimitPer = (typeof LIMIT_PERS)[number];

export const LIMIT_WINDOWS = ['minute', 'hour', 'day'] as const;
export type LimitWindow = (typeof LIMIT_WINDOWS)[number];

const amount = z.number().int().nonnegative().max(1_000_000_000_000);

export const limitCreateRequest = z
  .object({
    /** `workspace`, or kind and value such as `project:web`; several with commas, all of which have to match. */
    scope: z.string().min(1).max(300),
    per: z.enum(LIMIT_PERS).optional(),
    measure: z.enum(LIMIT_MEASURES),
    limit: amount,
    /** Left out for what runs at once, and for nothing else. */
    window: z.enum(LIMIT_WINDOWS).optional(),
    /** What may come at once, at most the limit; the whole limit when left out. */
    burst: amount.min(1).optional(),
    name: nameSchema.optional(),
  })
  .strict();

/** What is counted, and for whom, stays: make another limit for something else. */
export const limitUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    limit: amount.optional(),
    burst: amount.min(1).nullish(),
  })
  .strict();

export const limitResponse = z.object({
  id: idSchema,
  name: z.string(),
  scope: z.string(),
  /** The scope as people know it. */
  scopeLabel: z.string(),
  per: z.enum(LIMIT_PERS),
  measure: z.enum(LIMIT_MEASURES),
  limit: z.number().int(),
  window: z.enum(LIMIT_WINDOWS).nullable(),
  burst: z.number().int().nullable(),
  createdAt: z.string(),
  status: z.object({
    /** Counts that are not at zero right now. */
    counting: z.number().int(),
    /** The fullest of them; `label` says whose it is, empty when everybody is counted together. */
    fullest: z.array(
      z.object({ label: z.string(), used: z.number().int(), held: z.number().int(), left: z.number().int() }),
    ),
  }),
});
export type LimitView = z.infer<typeof limitResponse>;
export const limitListResponse = z.object({ limits: z.array(limitResponse) });

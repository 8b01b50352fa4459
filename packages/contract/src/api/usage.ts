import { z } from 'zod';
import {
  PRICE_STATUSES,
  REQUEST_STATUSES,
  SETTLE_STATUSES,
  TOKEN_BUCKETS,
  tokenCountsSchema,
  unitCountsSchema,
} from '../usage.ts';
import { instantSchema, listParam, usdSchema } from './common.ts';
import { environmentSchema } from './projects.ts';

/** Filters that every usage and request query takes. Values within one filter are alternatives; filters are combined. */
export const usageFilters = {
  project: listParam.optional(), // id or slug
  /** Projects of these environments. */
  environment: listParam.pipe(z.array(environmentSchema)).optional(),
  key: listParam.optional(), // key id
  model: listParam.optional(), // model served
  provider: listParam.optional(),
  account: listParam.optional(), // account id
  status: listParam.pipe(z.array(z.enum(REQUEST_STATUSES))).optional(),
  /** Answered from raw rows: tags are not a rollup dimension. */
  tag: listParam.optional(),
};
export const GROUPS = ['project', 'key', 'model', 'provider', 'account', 'status', 'source'] as const;
export type UsageGroup = (typeof GROUPS)[number];

const range = { from: instantSchema, to: instantSchema };
export const totalsQuery = z.object({
  ...range,
  ...usageFilters,
  compare: z.enum(['previous', 'none']).default('none'),
});
export const timeseriesQuery = z.object({
  ...range,
  ...usageFilters,
  /** Bucket width. Minutes come from raw rows and are limited to ranges up to 6 hours. */
  step: z.enum(['minute', 'hour', 'day']),
  group: z.enum(GROUPS).optional(),
  /** With `group`: this many series by cost, then tokens; the rest is summed as `other`. */
  top: z.coerce.number().int().min(1).max(20).default(7),
});
export const breakdownQuery = z.object({
  ...range,
  ...usageFilters,
  group: z.enum(GROUPS),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  /** `true` also says how fast each group was, which costs as much as the sums. */
  times: z.enum(['true', 'false']).default('false'),
});

/** Sums over some set of requests. */
export const usageSums = z.object({
  requests: z.number().int(),
  errors: z.number().int(),
  /** Requests without a price; their cost is not in `costUsd`. */
  unpricedRequests: z.number().int(),
  unpricedTokens: z.number().int(),
  estimatedRequests: z.number().int(),
  interruptedRequests: z.number().int(),
  /** Sum of the known costs, exact. */
  costUsd: usdSchema,
  tokens: z.object(
    Object.fromEntries(TOKEN_BUCKETS.map((b) => [b, z.number().int()])) as Record<
      (typeof TOKEN_BUCKETS)[number],
      z.ZodNumber
    >,
  ),
  totalTokens: z.number().int(),
  /** Input-equivalent tokens: uncached 1, 5 min write 1.25, 1 h write 2, read 0.1, output 5 (WT-15). */
  weightedTokens: z.number().int(),
  /** cacheRead ÷ all input tokens; null when there was no input. */
  cacheHitRatio: z.number().nullable(),
});
export const latencySummary = z.object({
  count: z.number().int(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});
/** How fast requests were answered. */
export const usageTimes = z.object({
  latency: latencySummary,
  ttft: latencySummary,
  /** Output tokens per second of latency, within 3 %; null without requests whose latency is known. */
  outputTokensPerSecond: z.number().nullable(),
});
export const totalsBody = usageSums.extend(usageTimes.shape);
export const totalsResponse = z.object({
  from: z.string(),
  to: z.string(),
  totals: totalsBody,
  /** The same span directly before, when `compare=previous`. */
  previous: totalsBody.nullable(),
});
/** Event `totals` of the live feed: the current UTC day. */
export const usageTotalsEvent = z.object({ from: z.string(), to: z.string(), totals: totalsBody });
export const timeseriesResponse = z.object({
  from: z.string(),
  to: z.string(),
  step: z.enum(['minute', 'hour', 'day']),
  /** One entry a series; without `group` there is one, key `all`. Buckets without traffic are absent. */
  series: z.array(
    z.object({
      key: z.string(),
      label: z.string(),
      points: z.array(
        z.object({
          at: z.string(),
          requests: z.number().int(),
          errors: z.number().int(),
          unpricedRequests: z.number().int(),
          costUsd: usdSchema,
          totalTokens: z.number().int(),
          weightedTokens: z.number().int(),
          cacheReadTokens: z.number().int(),
          inputTokens: z.number().int(),
          outputTokens: z.number().int(),
          latencyP50Ms: z.number().nullable(),
          latencyP95Ms: z.number().nullable(),
          ttftP50Ms: z.number().nullable(),
        }),
      ),
    }),
  ),
});
export const breakdownResponse = z.object({
  from: z.string(),
  to: z.string(),
  group: z.enum(GROUPS),
  rows: z.array(
    usageSums.extend({
      key: z.string(),
      label: z.string(),
      /** Null unless they were asked for. */
      times: usageTimes.nullable().default(null),
    }),
  ),
});

export const requestsQuery = z.object({
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  ...usageFilters,
  /** Ids as clients send them, or as they are stored. */
  session: listParam.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(200).optional(),
});
/** Which requests lose their tags and session ids: exactly one of the first three, optionally within a range of starts. */
export const redactRequest = z
  .object({
    tag: z.string().min(1).max(200).optional(),
    sessionId: z.string().min(1).max(1024).optional(),
    /** With its sub-calls. */
    requestId: z.string().min(1).max(100).optional(),
    from: instantSchema.optional(),
    to: instantSchema.optional(),
    /** Only counts. */
    dryRun: z.boolean().default(false),
  })
  .refine(
    ({ tag, sessionId, requestId }) =>
      [tag, sessionId, requestId].filter((given) => given !== undefined).length === 1,
    { message: 'must name exactly one of tag, sessionId and requestId' },
  );
export const redactResponse = z.object({
  dryRun: z.boolean(),
  /** Rows that had something to remove. */
  rows: z.number().int(),
});
/** Live feed: the same filters; `after` resumes after the event with this id, like `Last-Event-ID`. */
export const requestStreamQuery = requestsQuery
  .omit({ limit: true, cursor: true })
  .extend({ after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional() });
export const requestRow = z.object({
  id: z.string(),
  parentId: z.string().nullable(),
  upstreamRequestId: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  status: z.enum(REQUEST_STATUSES),
  httpStatus: z.number().int().nullable(),
  errorCode: z.string().nullable(),
  modelRequested: z.string().nullable(),
  modelServed: z.string().nullable(),
  provider: z.string(),
  apiFlavor: z.string(),
  project: z.object({ id: z.string(), slug: z.string() }),
  key: z.object({ id: z.string(), name: z.string() }).nullable(),
  account: z.object({ id: z.string(), name: z.string() }).nullable(),
  source: z.string(),
  stream: z.boolean(),
  tokens: tokenCountsSchema,
  units: unitCountsSchema,
  totalTokens: z.number().int().nullable(),
  weightedTokens: z.number().int().nullable(),
  costUsd: usdSchema.nullable(),
  priceStatus: z.enum(PRICE_STATUSES),
  settleStatus: z.enum(SETTLE_STATUSES),
  priceCard: z.string().nullable(),
  serviceTier: z.string().nullable(),
  latencyMs: z.number().int().nullable(),
  ttftMs: z.number().int().nullable(),
  sessionId: z.string().nullable(),
  tags: z.array(z.string()),
});
/** What a rule changed: `model`, `pool`, `max_output_tokens`, `header:NAME`, `own_key` or `fallback`. */
export const ruleChange = z.object({
  what: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export const attemptRow = z.object({
  index: z.number().int(),
  account: z.object({ id: z.string(), name: z.string() }).nullable(),
  provider: z.string(),
  startedAt: z.string(),
  firstByteAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  httpStatus: z.number().int().nullable(),
  outcome: z.string(),
  errorCode: z.string().nullable(),
  upstreamRequestId: z.string().nullable(),
  /** Model it asked for, where that is not the request's. */
  model: z.string().nullable(),
  /** Why this account: the pool's strategy, `only`, `failover`, `retry` or `fallback`. */
  chosenBy: z.string().nullable(),
});
export const costLine = z.object({
  /** Bucket or unit the line charges. */
  unit: z.string(),
  quantity: z.number().int(),
  /** pico-USD per unit, as a decimal integer string. */
  ratePicoUsd: z.string(),
  amountUsd: z.string(),
});
export const requestListResponse = z.object({
  requests: z.array(requestRow),
  nextCursor: z.string().nullable(),
});
export const requestDetailResponse = z.object({
  request: requestRow,
  attempts: z.array(attemptRow),
  /** Sub-calls the answer reported under another model, each its own row. */
  children: z.array(requestRow),
  /** How the cost was computed, line by line; null when unpriced. */
  costLines: z.array(costLine).nullable(),
  /** Pool and rule by their names; the id where it is gone. */
  pool: z.object({ id: z.string(), name: z.string() }).nullable(),
  rule: z.object({ id: z.string(), name: z.string(), changes: z.array(ruleChange) }).nullable(),
  /** What it cost that the session left an account with a warm prompt cache; null when it did not. */
  cacheLoss: z.object({ tokens: z.number().int(), costUsd: usdSchema.nullable() }).nullable(),
  rawUsage: z.unknown(),
  requestBytes: z.number().int().nullable(),
  responseBytes: z.number().int().nullable(),
});
export type UsageTimes = z.infer<typeof usageTimes>;
export type UsageSums = z.infer<typeof usageSums>;
export type UsageTotalsEvent = z.infer<typeof usageTotalsEvent>;
export type TotalsView = z.infer<typeof totalsResponse>;
export type TimeseriesView = z.infer<typeof timeseriesResponse>;
export type BreakdownView = z.infer<typeof breakdownResponse>;
export type RequestView = z.infer<typeof requestRow>;
export type RequestDetailView = z.infer<typeof requestDetailResponse>;
export type AttemptView = z.infer<typeof attemptRow>;
export type CostLineView = z.infer<typeof costLine>;

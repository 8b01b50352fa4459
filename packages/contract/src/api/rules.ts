import { z } from 'zod';
import { idSchema, nameSchema } from './common.ts';

export const MAX_RULES = 200;
const MAX_LIST = 100;

const text = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]+$/u, 'must not contain control characters');
const patterns = z.array(text).min(1).max(MAX_LIST);
const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z\d!#$%&'*+.^_`|~-]+$/, 'must be a header name')
  .transform((name) => name.toLowerCase());
const headerValue = z
  .string()
  .max(1000)
  .regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII');
const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 09:30');
const tokens = z.number().int().nonnegative().max(100_000_000);

/** All that are named have to hold; within a list one is enough. `*` in a pattern stands for any run of characters. */
export const ruleConditions = z
  .object({
    /** Key ids. */
    keys: z.array(idSchema).min(1).max(MAX_LIST).optional(),
    /** Project ids. */
    projects: z.array(idSchema).min(1).max(MAX_LIST).optional(),
    /** Patterns of the user that the request names (`metadata.user_id`, `user`). */
    users: patterns.optional(),
    /** Patterns of the model that the client asked for. */
    models: patterns.optional(),
    headers: z
      .array(z.object({ name: headerName, pattern: z.string().max(200) }).strict())
      .min(1)
      .max(20)
      .optional(),
    /** Texts of which one stands in the system prompt, letter by letter. */
    systemContains: z.array(z.string().min(1).max(500)).min(1).max(20).optional(),
    time: z
      .object({
        /** 1 is Monday. Default: every day. */
        days: z.array(z.number().int().min(1).max(7)).min(1).max(7).optional(),
        from: clockTime,
        /** Earlier than `from` reaches over midnight, into the day after. */
        to: clockTime,
        timeZone: z.string().min(1).max(64),
      })
      .strict()
      .optional(),
    /** Estimated input tokens, from this many on. */
    minTokens: tokens.optional(),
    /** Estimated input tokens, up to this many. */
    maxTokens: tokens.optional(),
  })
  .strict();

export const ruleActions = z
  .object({
    /** The model that is asked for instead. */
    model: text.optional(),
    /** Id of the pool whose accounts serve. */
    pool: idSchema.optional(),
    setHeaders: z
      .array(z.object({ name: headerName, value: headerValue }).strict())
      .max(20)
      .optional(),
    removeHeaders: z.array(headerName).max(20).optional(),
    /** The output limit is lowered to this, and set where the request has none. */
    maxOutputTokens: z.number().int().min(1).max(10_000_000).optional(),
    /** Refuses, with this message. */
    deny: z.string().trim().min(1).max(500).optional(),
    /** Takes the upstream credential from the client's `x-tallygate-upstream-key` header. */
    ownKey: z.literal(true).optional(),
    /** Where the request goes, in order, when nothing before has served it. */
    fallbacks: z
      .array(z.object({ model: text.optional(), pool: idSchema.optional() }).strict())
      .max(5)
      .optional(),
  })
  .strict();

export const ruleCreateRequest = z
  .object({
    name: nameSchema,
    enabled: z.boolean().optional(),
    conditions: ruleConditions,
    actions: ruleActions,
  })
  .strict();
export const ruleUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    enabled: z.boolean().optional(),
    conditions: ruleConditions.optional(),
    actions: ruleActions.optional(),
  })
  .strict();
export const ruleOrderRequest = z.object({ ids: z.array(idSchema).max(MAX_RULES) }).strict();
export const ruleResponse = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  conditions: ruleConditions,
  actions: ruleActions,
  createdAt: z.string(),
});
export const ruleListResponse = z.object({ rules: z.array(ruleResponse) });

export const ruleTestRequest = z
  .object({
    /** Path as the client calls it, such as `/v1/messages`. */
    path: z.string().min(1).max(300).default('/v1/messages'),
    headers: z.record(z.string().max(100), z.string().max(2000)).default({}),
    /** The body of the request. */
    body: z.unknown(),
    /** Key id. */
    key: idSchema.optional(),
    /** Project id; the key's own when a key is given. */
    project: idSchema.optional(),
    /** Instant to test at; now when left out. */
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .strict();
export const ruleTestResponse = z.object({
  /** What the rules see of the request. */
  facts: z.object({
    model: z.string().nullable(),
    user: z.string().nullable(),
    estimatedTokens: z.number().int(),
    systemChars: z.number().int(),
  }),
  /** Every rule in order, and why it does or does not apply. */
  rules: z.array(z.object({ id: z.string(), name: z.string(), applies: z.boolean(), reason: z.string() })),
  /** The rule that would apply: the first that does; null when none does. */
  rule: z.object({ id: z.string(), name: z.string() }).nullable(),
  /** What would change, in words, with the original values. */
  changes: z.array(z.object({ what: z.string(), from: z.string().nullable(), to: z.string().nullable() })),
});

export type RuleConditions = z.infer<typeof ruleConditions>;
export type RuleActions = z.infer<typeof ruleActions>;
export type RuleView = z.infer<typeof ruleResponse>;
export type RuleListView = z.infer<typeof ruleListResponse>;
export type RuleTestView = z.infer<typeof ruleTestResponse>;

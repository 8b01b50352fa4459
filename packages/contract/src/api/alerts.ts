import { z } from 'zod';
import { idSchema, instantSchema, nameSchema } from './common.ts';
import { environmentSchema } from './projects.ts';

export const ALERT_KINDS = ['usage', 'budget', 'forecast', 'account', 'security', 'anomaly'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];
export const ALERT_METRICS = [
  'spend',
  'tokens',
  'requests',
  'error_rate',
  'latency_p95',
  'unpriced_requests',
] as const;
export type AlertMetric = (typeof ALERT_METRICS)[number];
/** The first three move with the clock; the others are those of the calendar, in the rule's time zone. */
export const ALERT_WINDOWS = [
  'last_15_minutes',
  'last_hour',
  'last_day',
  'hour',
  'day',
  'week',
  'month',
] as const;
export type AlertWindow = (typeof ALERT_WINDOWS)[number];
export const ANOMALY_METRICS = ['spend', 'tokens', 'requests', 'errors'] as const;
export type AnomalyMetric = (typeof ANOMALY_METRICS)[number];
export const ANOMALY_GROUPS = ['none', 'project', 'key', 'model'] as const;
export type AnomalyGroup = (typeof ANOMALY_GROUPS)[number];
export const SENSITIVITIES = ['low', 'medium', 'high'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];
export const BUDGET_BASES = ['spent', 'spent_and_held'] as const;
export const ACCOUNT_CONDITIONS = ['needs_reauth', 'refused', 'resting', 'limited'] as const;
export type AlertAccountCondition = (typeof ACCOUNT_CONDITIONS)[number];
export const ALERT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

const MAX_DOLLARS = 9_000_000;
const dollars = z
  .string()
  .regex(/^\d{1,7}(\.\d{1,9})?$/, 'must be an amount of dollars with at most nine decimals')
  .refine((text) => Number(text) <= MAX_DOLLARS, `must be at most ${MAX_DOLLARS}`);
const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

interface Thresholds {
  metric: AlertMetric;
  threshold?: number | undefined;
  thresholdUsd?: string | undefined;
}

function thresholdProblem({ metric, threshold, thresholdUsd }: Thresholds) {
  const inDollars = metric === 'spend';
  const path = [inDollars ? 'thresholdUsd' : 'threshold'];
  const [wanted, other] = inDollars ? [thresholdUsd, threshold] : [threshold, thresholdUsd];
  if (wanted === undefined || other !== undefined)
    return { path, message: `is what a rule on ${metric} needs, and the only one` };
  if (Number(wanted) === 0) return { path, message: 'must be above 0' };
  const tooMuch = metric === 'error_rate' && Number(wanted) > 100;
  return tooMuch ? { path, message: 'is in per cent, at most 100' } : null;
}

const usageCondition = z
  .object({
    kind: z.literal('usage'),
    metric: z.enum(ALERT_METRICS),
    window: z.enum(ALERT_WINDOWS),
    /** For `spend`. */
    thresholdUsd: dollars.optional(),
    /** For everything else: a count, per cent of requests, or milliseconds. */
    threshold: z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
    /** Rates and percentiles of fewer requests than this say nothing. */
    minRequests: whole.max(1_000_000).default(20),
    /** IANA name; where days, weeks and months begin. */
    timeZone: z.string().min(1).max(64).default('UTC'),
  })
  .strict()
  .superRefine((condition, context) => {
    const problem = thresholdProblem(condition);
    if (problem !== null) context.addIssue({ code: 'custom', ...problem });
  });

/** What a rule watches. */
export const alertCondition = z.discriminatedUnion('kind', [
  usageCondition,
  z
    .object({
      kind: z.literal('budget'),
      /** Every budget when left out. */
      budget: idSchema.optional(),
      percents: z.array(z.number().int().min(1).max(1_000)).min(1).max(10).default([50, 75, 90, 100]),
      basis: z.enum(BUDGET_BASES).default('spent'),
    })
    .strict(),
  z.object({ kind: z.literal('forecast'), budget: idSchema.optional() }).strict(),
  z
    .object({
      kind: z.literal('account'),
      conditions: z
        .array(z.enum(ACCOUNT_CONDITIONS))
        .min(1)
        .default([...ACCOUNT_CONDITIONS]),
    })
    .strict(),
  z
    .object({ kind: z.literal('security'), minSeverity: z.enum(['warning', 'critical']).default('warning') })
    .strict(),
  z
    .object({
      kind: z.literal('anomaly'),
      metric: z.enum(ANOMALY_METRICS),
      by: z.enum(ANOMALY_GROUPS).default('none'),
      sensitivity: z.enum(SENSITIVITIES).default('medium'),
    })
    .strict(),
]);
export type AlertCondition = z.output<typeof alertCondition>;
export type UsageCondition = Extract<AlertCondition, { kind: 'usage' }>;
export type AnomalyCondition = Extract<AlertCondition, { kind: 'anomaly' }>;

const names = z.array(z.string().min(1).max(200)).max(50).optional();
/** What of the traffic counts; values of one list are alternatives. Only for conditions on usage and anomalies. */
export const alertFilter = z
  .object({
    projects: names,
    keys: names,
    users: names,
    models: names,
    providers: names,
    accounts: names,
    tags: names,
  })
  .strict();
export type AlertFilter = z.output<typeof alertFilter>;

const MAX_COOLDOWN_MINUTES = 7 * 24 * 60;
const ruleFields = {
  name: nameSchema,
  /** Null watches every environment by itself; their figures are never added up (TW-20). */
  environment: environmentSchema.nullable(),
  severity: z.enum(ALERT_SEVERITIES),
  filter: alertFilter,
  condition: alertCondition,
  channelIds: z.array(idSchema).max(20),
  cooldownMinutes: whole.max(MAX_COOLDOWN_MINUTES),
  notifyRecovery: z.boolean(),
  enabled: z.boolean(),
};
export const alertRuleCreateRequest = z
  .object({
    ...ruleFields,
    environment: ruleFields.environment.default(null),
    severity: ruleFields.severity.default('warning'),
    filter: ruleFields.filter.default({}),
    channelIds: ruleFields.channelIds.default([]),
    cooldownMinutes: ruleFields.cooldownMinutes.default(60),
    notifyRecovery: ruleFields.notifyRecovery.default(true),
    enabled: ruleFields.enabled.default(true),
  })
  .strict();
/** What a rule would have told of late, before it is made. */
export const alertRehearsalRequest = alertRuleCreateRequest.pick({
  environment: true,
  filter: true,
  condition: true,
  cooldownMinutes: true,
});
export const alertRehearsalResponse = z.object({
  days: z.number().int(),
  /** Null where that cannot be said; `reason` says why. */
  told: z.number().int().nullable(),
  reason: z.string().nullable(),
  /** The last of them, newest first. */
  last: z.array(z.object({ at: z.string(), title: z.string() })),
});
export type AlertRehearsal = z.infer<typeof alertRehearsalResponse>;
export const alertRuleUpdateRequest = z.object(ruleFields).partial().strict();

export const alertRuleResponse = z.object({
  ...ruleFields,
  id: z.string(),
  /** The rule in one sentence. */
  sentence: z.string(),
  createdAt: z.string(),
  /** What fires at the moment. */
  firing: z.array(z.object({ subject: z.string(), since: z.string(), lastFiredAt: z.string().nullable() })),
  lastFiredAt: z.string().nullable(),
});
export type AlertRuleView = z.infer<typeof alertRuleResponse>;
export const alertRuleListResponse = z.object({ rules: z.array(alertRuleResponse) });

export const ALERT_STATES = ['firing', 'recovered', 'closed', 'test'] as const;
export type AlertState = (typeof ALERT_STATES)[number];
const fact = z.object({ label: z.string(), value: z.string() });
export const alertEventResponse = z.object({
  id: z.string(),
  ruleId: z.string().nullable(),
  ruleName: z.string(),
  /** `closed`: the rule was switched off or removed while it fired. */
  state: z.enum(ALERT_STATES),
  severity: z.enum(ALERT_SEVERITIES),
  environment: environmentSchema.nullable(),
  subject: z.string(),
  at: z.string(),
  since: z.string(),
  title: z.string(),
  text: z.string(),
  facts: z.array(fact),
  /** The place in the dashboard that shows what it is about; null where there is none. */
  path: z.string().nullable(),
});
export type AlertEventView = z.infer<typeof alertEventResponse>;
export const alertEventQuery = z.object({
  rule: idSchema.optional(),
  environment: environmentSchema.optional(),
  before: instantSchema.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const alertEventListResponse = z.object({ events: z.array(alertEventResponse) });
export const alertEvaluateResponse = z.object({ rules: z.number().int(), events: z.number().int() });

export const CHANNEL_KINDS = ['webhook', 'slack', 'discord', 'teams', 'email', 'pagerduty'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];
const url = z.url({ protocol: /^https?$/ }).max(2_000);
const mailbox = z.email().max(254);
const MAX_TEMPLATE = 4_000;
/** Names in double braces stand for parts of the notice, such as `{{title}}`. Null takes the text as it is. */
export const alertTemplate = z
  .object({ title: z.string().max(300).nullable(), text: z.string().max(MAX_TEMPLATE).nullable() })
  .strict();
export type AlertTemplate = z.output<typeof alertTemplate>;

export const channelTarget = z.discriminatedUnion('kind', [
  z
    .object({
      kind: z.literal('webhook'),
      url,
      /** `whsec_` and the key in base64; made here when left out. */
      signingSecret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,128}={0,2}$/, 'must be whsec_ and 24 to 96 bytes in base64')
        .optional(),
    })
    .strict(),
  z.object({ kind: z.literal('slack'), url }).strict(),
  z.object({ kind: z.literal('discord'), url }).strict(),
  z.object({ kind: z.literal('teams'), url }).strict(),
  z
    .object({
      kind: z.literal('email'),
      host: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[A-Za-z0-9.:-]+$/, 'must be a host name or an address'),
      port: z.number().int().min(1).max(65_535),
      /** `tls` from the first byte, `starttls` required before anything else, `none` for one's own network. */
      security: z.enum(['tls', 'starttls', 'none']),
      username: z.string().min(1).max(254).optional(),
      password: z.string().min(1).max(1_000).optional(),
      from: mailbox,
      to: z.array(mailbox).min(1).max(20),
    })
    .strict(),
  z
    .object({
      kind: z.literal('pagerduty'),
      routingKey: z.string().regex(/^[A-Za-z0-9]{16,64}$/, 'must be the integration key of the service'),
      url: url.default('https://events.pagerduty.com/v2/enqueue'),
    })
    .strict(),
]);
export type ChannelTarget = z.output<typeof channelTarget>;

const channelFields = {
  name: nameSchema,
  /** Permits addresses of one's own network, as far as the server's settings do. */
  allowPrivate: z.boolean(),
  template: alertTemplate.nullable(),
  enabled: z.boolean(),
};
export const channelCreateRequest = z
  .object({
    ...channelFields,
    target: channelTarget,
    allowPrivate: channelFields.allowPrivate.default(false),
    template: channelFields.template.default(null),
    enabled: channelFields.enabled.default(true),
  })
  .strict();
export const channelUpdateRequest = z
  .object({ ...channelFields, target: channelTarget })
  .partial()
  .strict();
export const channelResponse = z.object({
  ...channelFields,
  id: z.string(),
  kind: z.enum(CHANNEL_KINDS),
  /** Where it goes, without what is secret: a host, or mailboxes. */
  destination: z.string(),
  createdAt: z.string(),
});
export type ChannelView = z.infer<typeof channelResponse>;
export const channelListResponse = z.object({ channels: z.array(channelResponse) });
/** The secret is shown this once; null for what is not signed, or when it was given. */
export const channelCreatedResponse = channelResponse.extend({ signingSecret: z.string().nullable() });
export type ChannelCreated = z.infer<typeof channelCreatedResponse>;
export const channelTestResponse = z.object({
  ok: z.boolean(),
  status: z.number().int().nullable(),
  durationMs: z.number().int(),
  message: z.string(),
});
export type ChannelTest = z.infer<typeof channelTestResponse>;
export const alertPreviewRequest = z
  .object({ kind: z.enum(CHANNEL_KINDS), template: alertTemplate.nullable().default(null) })
  .strict();
export const alertPreviewResponse = z.object({ contentType: z.string(), body: z.string() });

export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
export const deliveryResponse = z.object({
  id: z.string(),
  eventId: z.string(),
  channel: z.object({ id: z.string(), name: z.string(), kind: z.enum(CHANNEL_KINDS).nullable() }),
  title: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  attempts: z.number().int(),
  createdAt: z.string(),
  nextAttemptAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** The last tries, newest last. */
  log: z.array(
    z.object({
      at: z.string(),
      ok: z.boolean(),
      status: z.number().int().nullable(),
      durationMs: z.number().int(),
      message: z.string(),
    }),
  ),
});
export type DeliveryView = z.infer<typeof deliveryResponse>;
export const deliveryQuery = z.object({
  status: z.enum(DELIVERY_STATUSES).optional(),
  event: idSchema.optional(),
  before: instantSchema.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const deliveryListResponse = z.object({ deliveries: z.array(deliveryResponse) });

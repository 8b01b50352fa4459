import type {
  AlertEventView,
  AlertRuleView,
  ChannelView,
  DeliveryView,
} from '@tallygate/contract/api/alerts';

const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

/** Alerts of the stand-in: rules, channels, what was told, and how it got there. */
export interface FakeAlerts {
  rules: AlertRuleView[];
  channels: ChannelView[];
  events: AlertEventView[];
  deliveries: DeliveryView[];
}

/** A channel with everything usual filled in. */
export const fakeChannel = (id: string, name: string, rest: Partial<ChannelView>): ChannelView => ({
  id,
  name,
  kind: 'webhook',
  destination: 'hooks.example.com',
  allowPrivate: false,
  template: null,
  enabled: true,
  createdAt: ago(20),
  ...rest,
});

/** A rule with everything usual filled in. */
export function fakeRule(id: string, sentence: string, rest: Partial<AlertRuleView>): AlertRuleView {
  return {
    id,
    name: id,
    sentence,
    environment: null,
    severity: 'warning',
    filter: {},
    condition: { kind: 'security', minSeverity: 'warning' },
    channelIds: ['ch1'],
    cooldownMinutes: 60,
    notifyRecovery: true,
    enabled: true,
    createdAt: ago(20),
    firing: [],
    lastFiredAt: null,
    ...rest,
  };
}

const FIRED: AlertEventView = {
  id: '019a8e5c-0000-7000-8000-000000000001',
  ruleId: 'daily',
  ruleName: 'Daily spend',
  state: 'firing',
  severity: 'critical',
  environment: 'production',
  subject: 'production',
  at: ago(0.05),
  since: ago(0.05),
  title: 'Spend in production reached $53.10 today',
  text: 'Spend in production reached $53.10 today; the limit of this rule is $50.00.',
  facts: [
    { label: 'Limit', value: '$50.00' },
    { label: 'Most by key', value: 'support-bot production: $41.20, batch nightly: $9.80' },
    { label: 'Most by model', value: 'claude-opus-4-5: $39.00, claude-sonnet-4-5: $12.00' },
  ],
  path: '/?environment=production',
};

export function fakeAlerts(empty: boolean): FakeAlerts {
  if (empty) return { rules: [], channels: [], events: [], deliveries: [] };
  const condition = { kind: 'usage', metric: 'spend', window: 'day', thresholdUsd: '50' } as const;
  const delivery: DeliveryView = {
    id: 'd1',
    eventId: FIRED.id,
    channel: { id: 'ch1', name: 'ops webhook', kind: 'webhook' },
    title: FIRED.title,
    status: 'dead',
    attempts: 14,
    createdAt: ago(1.2),
    nextAttemptAt: null,
    finishedAt: ago(0.2),
    log: [1, 0.2].map((days) => ({
      at: ago(days),
      ok: false,
      status: 503,
      durationMs: 40,
      message: 'The receiver answered HTTP 503.',
    })),
  };
  const took = {
    at: ago(0.05),
    ok: true,
    status: 200,
    durationMs: 21,
    message: 'The receiver took it (HTTP 200).',
  };
  return {
    rules: [
      fakeRule('daily', 'Spend reaches $50.00 today, in any environment by itself.', {
        name: 'Daily spend',
        severity: 'critical',
        condition: { ...condition, minRequests: 20, timeZone: 'UTC' },
        firing: [{ subject: 'production', since: ago(0.05), lastFiredAt: ago(0.05) }],
        lastFiredAt: ago(0.05),
      }),
      fakeRule('sec', 'The security panel finds something.', { name: 'Security findings' }),
      fakeRule('odd', 'Tokens of a key are far above what is usual at this hour, in staging.', {
        name: 'Unusual tokens',
        environment: 'staging',
        condition: { kind: 'anomaly', metric: 'tokens', by: 'key', sensitivity: 'medium' },
        channelIds: [],
        enabled: false,
      }),
    ],
    channels: [
      fakeChannel('ch1', 'ops webhook', {}),
      fakeChannel('ch2', 'on call', { kind: 'email', destination: 'ops@example.com (smtp.example.com)' }),
    ],
    events: [
      FIRED,
      {
        ...FIRED,
        id: '019a8e5c-0000-7000-8000-000000000000',
        state: 'recovered',
        at: ago(1),
        title: 'Spend in production is $0.00 today',
      },
    ],
    deliveries: [
      { ...delivery, id: 'd2', status: 'delivered', attempts: 1, createdAt: ago(0.05), log: [took] },
      delivery,
    ],
  };
}

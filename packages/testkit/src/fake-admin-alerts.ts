import {
  alertPreviewRequest,
  alertRehearsalRequest,
  alertRuleCreateRequest,
  alertRuleUpdateRequest,
  channelCreateRequest,
  channelUpdateRequest,
} from '@tallygate/contract/api/alerts';
import { fakeChannel, fakeRule } from './fake-admin-alert-data.ts';
import { type FakeHandler, found, parse } from './fake-admin-routes.ts';

const fresh = (prefix: string, count: number): string => `${prefix}${count + 1}`;

/** Alerts; the first that matches `METHOD /path` answers. */
export const ALERT_ROUTES: [RegExp, FakeHandler][] = [
  [/^GET \/api\/alerts\/rules$/, ({ alerts }) => ({ rules: alerts.rules })],
  [
    /^POST \/api\/alerts\/rules$/,
    ({ alerts }, { body }) => {
      const input = parse(alertRuleCreateRequest, body);
      const made = fakeRule(fresh('rule', alerts.rules.length), 'What was asked for, in a sentence.', input);
      alerts.rules.push(made);
      return made;
    },
  ],
  [
    /^POST \/api\/alerts\/rules\/rehearse$/,
    (_world, { body }) => {
      const { condition } = parse(alertRehearsalRequest, body);
      if (condition.kind !== 'usage')
        return { days: 7, told: null, reason: 'What it watches is not kept hour by hour.', last: [] };
      const at = '2026-11-20T10:00:00.000Z';
      return {
        days: 7,
        told: 2,
        reason: null,
        last: [{ at, title: 'Tokens in production reached 120 000' }],
      };
    },
  ],
  [
    /^PATCH \/api\/alerts\/rules\/(\w+)$/,
    ({ alerts }, { body, params: [id] }) =>
      Object.assign(found(alerts.rules, id), parse(alertRuleUpdateRequest, body)),
  ],
  [
    /^DELETE \/api\/alerts\/rules\/(\w+)$/,
    ({ alerts }, { params: [id] }) => {
      alerts.rules.splice(alerts.rules.indexOf(found(alerts.rules, id)), 1);
      return {};
    },
  ],
  [/^GET \/api\/alerts\/events$/, ({ alerts }) => ({ events: alerts.events })],
  [
    /^GET \/api\/alerts\/deliveries$/,
    ({ alerts }, { url }) => {
      const status = url.searchParams.get('status');
      return { deliveries: alerts.deliveries.filter((one) => status === null || one.status === status) };
    },
  ],
  [
    /^POST \/api\/alerts\/deliveries\/(\w+)\/redeliver$/,
    ({ alerts }, { params: [id] }) =>
      Object.assign(found(alerts.deliveries, id), { status: 'pending', finishedAt: null }),
  ],
  [/^GET \/api\/alerts\/channels$/, ({ alerts }) => ({ channels: alerts.channels })],
  [
    /^POST \/api\/alerts\/channels$/,
    ({ alerts }, { body }) => {
      const { target, ...rest } = parse(channelCreateRequest, body);
      const made = fakeChannel(fresh('ch', alerts.channels.length), rest.name, {
        ...rest,
        kind: target.kind,
      });
      alerts.channels.push(made);
      return { ...made, signingSecret: target.kind === 'webhook' ? `whsec_${'A'.repeat(44)}` : null };
    },
  ],
  [
    /^PATCH \/api\/alerts\/channels\/(\w+)$/,
    ({ alerts }, { body, params: [id] }) => {
      const { target: _target, ...rest } = parse(channelUpdateRequest, body);
      return Object.assign(found(alerts.channels, id), rest);
    },
  ],
  [
    /^DELETE \/api\/alerts\/channels\/(\w+)$/,
    ({ alerts }, { params: [id] }) => {
      alerts.channels.splice(alerts.channels.indexOf(found(alerts.channels, id)), 1);
      return {};
    },
  ],
  [
    /^POST \/api\/alerts\/channels\/(\w+)\/test$/,
    ({ alerts }, { params: [id] }) => {
      const ok = found(alerts.channels, id).kind === 'webhook';
      const message = ok ? 'The receiver took it (HTTP 200).' : 'The mail server answered 452.';
      return { ok, status: ok ? 200 : 452, durationMs: 12, message };
    },
  ],
  [
    /^POST \/api\/alerts\/preview$/,
    (_world, { body }) => {
      const { kind, template } = parse(alertPreviewRequest, body);
      return { contentType: 'application/json', body: `${kind}: ${template?.title ?? 'This is a test'}` };
    },
  ],
];

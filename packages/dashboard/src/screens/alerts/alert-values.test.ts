import {
  ACCOUNT_CONDITIONS,
  ALERT_KINDS,
  ALERT_METRICS,
  ALERT_SEVERITIES,
  ALERT_WINDOWS,
  type AlertRuleView,
  ANOMALY_GROUPS,
  ANOMALY_METRICS,
  alertRuleCreateRequest,
  CHANNEL_KINDS,
  channelCreateRequest,
  SENSITIVITIES,
} from '@tallygate/contract/api/alerts';
import { describe, expect, it } from 'vitest';
import * as words from './alert-words.ts';
import { NEW_CHANNEL, targetOf, templateOf } from './channel-values.ts';
import { fieldOf, fromRule, NEW_RULE, type RuleValues, SUGGESTIONS, toRuleRequest } from './rule-values.ts';

const ask = (values: Partial<RuleValues>) =>
  alertRuleCreateRequest.parse(toRuleRequest({ ...NEW_RULE, name: 'r', reaches: '5', ...values }, null));

describe('the form of a rule (TW-16)', () => {
  it('has words for all that the contract has', () => {
    const keys = (record: object) => Object.keys(record);
    expect(keys(words.WINDOW_WORDS)).toEqual([...ALERT_WINDOWS]);
    expect(keys(words.SEVERITY_WORDS)).toEqual([...ALERT_SEVERITIES]);
    expect(keys(words.ACCOUNT_WORDS)).toEqual([...ACCOUNT_CONDITIONS]);
    expect(keys(words.ANOMALY_WORDS)).toEqual([...ANOMALY_METRICS]);
    expect(keys(words.GROUP_WORDS)).toEqual([...ANOMALY_GROUPS]);
    expect(keys(words.SENSITIVITY_WORDS)).toEqual([...SENSITIVITIES]);
    expect(keys(words.CHANNEL_WORDS)).toEqual([...CHANNEL_KINDS]);
    expect(keys(words.WATCHED_WORDS)).toEqual([...ALERT_METRICS, ...ALERT_KINDS.slice(1)]);
  });

  it('everything it offers is a rule of the contract, and comes back as it was', () => {
    for (const watch of Object.keys(words.WATCHED_WORDS) as words.Watched[]) {
      const narrowed = watch === 'spend' ? { keys: ['k1', 'k2'], users: ['u'], tags: ['t'] } : {};
      const environment = watch === 'spend' ? 'staging' : '';
      const values = { watch, environment, severity: 'critical', ...narrowed };
      const request = ask(values);
      const view: AlertRuleView = {
        ...request,
        id: 'x',
        sentence: '',
        createdAt: '',
        firing: [],
        lastFiredAt: null,
      };
      const back = fromRule(view);
      expect(alertRuleCreateRequest.parse(toRuleRequest(back, view)), watch).toEqual(request);
    }
  });

  it('keeps what it does not show', () => {
    const request = ask({ watch: 'error_rate' });
    const view = { ...request, id: 'x', sentence: '', createdAt: '', firing: [], lastFiredAt: null };
    const rule: AlertRuleView = {
      ...view,
      filter: { keys: ['k1'], projects: ['p1', 'p2'] },
      condition: {
        kind: 'usage',
        metric: 'error_rate',
        window: 'day',
        threshold: 5,
        minRequests: 500,
        timeZone: 'Asia/Tokyo',
      },
    };
    const again = alertRuleCreateRequest.parse(toRuleRequest({ ...fromRule(rule), reaches: '9' }, rule));
    expect(again.filter).toEqual({ keys: ['k1'], projects: ['p1', 'p2'] });
    expect(again.condition).toMatchObject({ threshold: 9, minRequests: 500, timeZone: 'Asia/Tokyo' });
  });

  it('what most people begin with is complete', () => {
    for (const { values } of SUGGESTIONS)
      expect(alertRuleCreateRequest.safeParse(toRuleRequest({ ...NEW_RULE, ...values }, null)).success).toBe(
        true,
      );
  });

  it('complaints of the server stand at the field they are about', () => {
    expect(
      ['condition.thresholdUsd', 'condition', 'filter.users', 'cooldownMinutes', 'name'].map(fieldOf),
    ).toEqual(['reaches', 'watch', 'users', 'cooldown', 'name']);
  });
});

describe('the form of a channel', () => {
  it('makes targets of the contract', () => {
    const mail = { host: ' smtp.example.com ', from: 'a@example.com', to: 'b@example.com, c@example.com' };
    for (const values of [
      { kind: 'slack' as const, url: ' https://hooks.slack.com/x ' },
      { kind: 'pagerduty' as const, routingKey: 'R'.repeat(32) },
      { kind: 'email' as const, ...mail },
    ]) {
      const target = targetOf({ ...NEW_CHANNEL, ...values });
      expect(channelCreateRequest.safeParse({ name: 'x', target }).success, values.kind).toBe(true);
    }
  });

  it('a template that says nothing is none', () => {
    expect(templateOf(NEW_CHANNEL)).toBeNull();
    expect(templateOf({ ...NEW_CHANNEL, titleTemplate: 'T' })).toEqual({ title: 'T', text: null });
  });
});

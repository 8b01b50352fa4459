import type { Notice } from '../channel-adapter.ts';

/** What a webhook gets. Fields are added, never renamed. */
export function webhookPayload(notice: Notice): unknown {
  return {
    type: notice.state === 'test' ? 'alert.test' : `alert.${notice.state}`,
    timestamp: new Date(notice.atMs).toISOString(),
    data: {
      eventId: notice.eventId,
      ruleId: notice.ruleId,
      rule: notice.ruleName,
      subject: notice.subject,
      severity: notice.severity,
      environment: notice.environment,
      since: new Date(notice.sinceMs).toISOString(),
      title: notice.title,
      text: notice.text,
      facts: notice.facts,
      url: notice.url,
    },
  };
}

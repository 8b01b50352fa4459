import type { Notice } from '../channel-adapter.ts';
import { allFacts, clip } from '../shared/notice-text.ts';

const OVER: readonly string[] = ['recovered', 'closed'];
const MAX_SUMMARY = 1_024;

/** Events API v2: an edge and its recovery share the key, so that recovery resolves the incident. */
export function pagerdutyPayload(notice: Notice, routingKey: string): unknown {
  const dedupKey = notice.state === 'test' ? notice.eventId : `${notice.ruleId}/${notice.subject}`;
  return {
    routing_key: routingKey,
    event_action: OVER.includes(notice.state) ? 'resolve' : 'trigger',
    dedup_key: clip(dedupKey, 255),
    ...(notice.url === null ? {} : { links: [{ href: notice.url, text: 'Tallygate' }] }),
    payload: {
      summary: clip(notice.title, MAX_SUMMARY),
      source: 'tallygate',
      severity: notice.state === 'test' ? 'info' : notice.severity,
      timestamp: new Date(notice.atMs).toISOString(),
      component: notice.ruleName,
      custom_details: {
        text: notice.text,
        event_id: notice.eventId,
        ...Object.fromEntries(allFacts(notice).map(({ label, value }) => [label, value])),
      },
    },
  };
}

import type { Notice } from '../delivery/channel-adapter.ts';
import type { AlertEventRow } from '../store/ports/alerts.ts';
import { historyPage } from './pages.ts';

const OVER: readonly string[] = ['recovered', 'closed'];

/** A page of the dashboard as people reach it; null when the server was not told its own address. */
const urlOf = (publicUrl: string | null, path: string): string | null =>
  publicUrl === null ? null : `${publicUrl}${path}`;

/** What is told of a stored event. */
export function noticeOf(event: AlertEventRow, publicUrl: string | null): Notice {
  return {
    eventId: event.id,
    state: event.state,
    severity: event.severity,
    environment: event.environment,
    ruleId: event.ruleId,
    ruleName: event.ruleName,
    subject: event.subject,
    atMs: event.atMs,
    sinceMs: event.sinceMs,
    title: event.title,
    text: event.text,
    facts: OVER.includes(event.state)
      ? [...event.facts, { label: 'Over at', value: new Date(event.atMs).toISOString() }]
      : event.facts,
    url: urlOf(publicUrl, event.path ?? historyPage(event.ruleId)),
  };
}

/** A notice that says it is a test, for the test button and the preview. */
export function sampleNotice(eventId: string, nowMs: number, publicUrl: string | null): Notice {
  return {
    eventId,
    state: 'test',
    severity: 'info',
    environment: 'test',
    ruleId: null,
    ruleName: 'Test of a channel',
    subject: 'test',
    atMs: nowMs,
    sinceMs: nowMs,
    title: 'This is a test',
    text: 'Alerts of Tallygate reach you here. Nothing has happened.',
    facts: [
      { label: 'Spend', value: '$12.34' },
      { label: 'Limit', value: '$10.00' },
    ],
    url: urlOf(publicUrl, historyPage(null)),
  };
}

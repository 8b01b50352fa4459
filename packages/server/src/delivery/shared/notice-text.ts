import type { Notice } from '../channel-adapter.ts';

/** Cuts a text to a receiver's limit, at a character and not inside one. */
export function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/**
 * For receivers that read Markdown: names come from outside, and none of them may dress an address up as something
 * else. Bare addresses stay what they are.
 */
export const withoutLinks = (text: string): string => text.replaceAll('[', '\\[');

/** Seen first in a list of messages. */
export function stateWord({ state, severity }: Notice): string {
  if (state === 'recovered') return 'Recovered';
  if (state === 'closed') return 'Closed';
  if (state === 'test') return 'Test';
  return severity === 'critical' ? 'Critical' : severity === 'warning' ? 'Warning' : 'Notice';
}

export const instantText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** The facts with those every channel adds. */
export function allFacts(notice: Notice): { label: string; value: string }[] {
  return [
    ...(notice.environment === null ? [] : [{ label: 'Environment', value: notice.environment }]),
    ...notice.facts,
    { label: 'Since', value: instantText(notice.sinceMs) },
    { label: 'Rule', value: notice.ruleName },
  ];
}

import type { AlertTemplate } from '@tallygate/contract/api/alerts';
import type { Notice } from '../delivery/channel-adapter.ts';

/** What a template may name, and what it stands for. */
const FIELDS: Readonly<Record<string, (notice: Notice) => string>> = {
  title: ({ title }) => title,
  text: ({ text }) => text,
  state: ({ state }) => state,
  severity: ({ severity }) => severity,
  rule: ({ ruleName }) => ruleName,
  subject: ({ subject }) => subject,
  environment: ({ environment }) => environment ?? 'all',
  time: ({ atMs }) => new Date(atMs).toISOString(),
  since: ({ sinceMs }) => new Date(sinceMs).toISOString(),
  facts: ({ facts }) => facts.map(({ label, value }) => `${label}: ${value}`).join('\n'),
  event: ({ eventId }) => eventId,
  link: ({ url }) => url ?? '',
};
export const TEMPLATE_FIELDS = Object.keys(FIELDS);

const PLACEHOLDER = /\{\{\s*([^{}]{1,40}?)\s*\}\}/g;

/** Names in a template that stand for nothing. */
export function unknownFields(template: AlertTemplate): string[] {
  const text = `${template.title ?? ''}\n${template.text ?? ''}`;
  return [...text.matchAll(PLACEHOLDER)]
    .map(([, name = '']) => name)
    .filter((name) => !Object.hasOwn(FIELDS, name));
}

/** Filled in once: braces in what is filled in stay what they are. */
function fill(template: string, notice: Notice): string {
  return template.replaceAll(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(FIELDS, name) ? (FIELDS[name]?.(notice) ?? whole) : whole,
  );
}

/** The notice in the words of a channel's template. */
export function applyTemplate(notice: Notice, template: AlertTemplate | null): Notice {
  if (template === null) return notice;
  return {
    ...notice,
    title: template.title === null ? notice.title : fill(template.title, notice),
    text: template.text === null ? notice.text : fill(template.text, notice),
  };
}

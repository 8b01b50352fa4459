import type { Notice } from '../channel-adapter.ts';
import { allFacts, clip, stateWord } from '../shared/notice-text.ts';

/** Slack's own rule: these three characters, and nothing else, are escaped. Mentions cannot be smuggled in. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const MAX_HEADER = 150;
const MAX_TEXT = 2_900;
const MAX_FIELD = 1_900;
const MAX_FIELDS = 10;

/** A button that opens a page; it needs no answer from here. */
const openButton = (url: string) => ({
  type: 'actions',
  elements: [{ type: 'button', text: { type: 'plain_text', text: 'Open in Tallygate' }, url }],
});

/** Block Kit, with a plain line for notifications. */
export function slackPayload(notice: Notice): unknown {
  const heading = `${stateWord(notice)}: ${notice.title}`;
  return {
    text: escaped(clip(heading, MAX_TEXT)),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: clip(heading, MAX_HEADER) } },
      { type: 'section', text: { type: 'mrkdwn', text: escaped(clip(notice.text, MAX_TEXT)) } },
      {
        type: 'section',
        fields: allFacts(notice)
          .slice(0, MAX_FIELDS)
          .map(({ label, value }) => ({
            type: 'mrkdwn',
            text: `*${escaped(label)}*\n${escaped(clip(value, MAX_FIELD))}`,
          })),
      },
      ...(notice.url === null ? [] : [openButton(notice.url)]),
      { type: 'context', elements: [{ type: 'plain_text', text: `Tallygate · ${notice.eventId}` }] },
    ],
  };
}

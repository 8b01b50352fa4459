import type { Notice } from '../channel-adapter.ts';
import { allFacts, clip, stateWord, withoutLinks } from '../shared/notice-text.ts';

const MAX_TEXT = 4_000;
const MAX_FACTS = 20;

/** An Adaptive Card, as the workflows of Teams take it. */
export function teamsPayload(notice: Notice): unknown {
  const color = notice.state !== 'firing' ? 'Good' : notice.severity === 'critical' ? 'Attention' : 'Warning';
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: clip(withoutLinks(`${stateWord(notice)}: ${notice.title}`), MAX_TEXT),
              weight: 'Bolder',
              size: 'Medium',
              color,
              wrap: true,
            },
            { type: 'TextBlock', text: clip(withoutLinks(notice.text), MAX_TEXT), wrap: true },
            {
              type: 'FactSet',
              facts: allFacts(notice)
                .slice(0, MAX_FACTS)
                .map(({ label, value }) => ({
                  title: withoutLinks(label),
                  value: clip(withoutLinks(value), MAX_TEXT),
                })),
            },
            { type: 'TextBlock', text: `Tallygate · ${notice.eventId}`, isSubtle: true, size: 'Small' },
          ],
          ...(notice.url === null
            ? {}
            : { actions: [{ type: 'Action.OpenUrl', title: 'Open in Tallygate', url: notice.url }] }),
        },
      },
    ],
  };
}

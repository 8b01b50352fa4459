import type { Notice } from '../channel-adapter.ts';
import { allFacts, clip, stateWord, withoutLinks } from '../shared/notice-text.ts';

const MAX_TITLE = 256;
const MAX_DESCRIPTION = 3_500;
const MAX_FIELD_VALUE = 1_000;
const MAX_FIELDS = 10;
const COLORS = { critical: 0xc9252d, warning: 0xb26b00, info: 0x2a6fc9 } as const;
const CALM_COLOR = 0x2e7d4f;

/** An embed; nobody is ever mentioned, whatever the text says. */
export function discordPayload(notice: Notice): unknown {
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: clip(withoutLinks(`${stateWord(notice)}: ${notice.title}`), MAX_TITLE),
        ...(notice.url === null ? {} : { url: notice.url }),
        description: clip(withoutLinks(notice.text), MAX_DESCRIPTION),
        color: notice.state === 'firing' ? COLORS[notice.severity] : CALM_COLOR,
        timestamp: new Date(notice.atMs).toISOString(),
        fields: allFacts(notice)
          .slice(0, MAX_FIELDS)
          .map(({ label, value }) => ({
            name: clip(withoutLinks(label), MAX_TITLE),
            value: clip(withoutLinks(value), MAX_FIELD_VALUE),
            inline: true,
          })),
        footer: { text: `Tallygate · ${notice.eventId}` },
      },
    ],
  };
}

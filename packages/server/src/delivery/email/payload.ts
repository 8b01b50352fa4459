import type { Notice } from '../channel-adapter.ts';
import { allFacts, clip, stateWord } from '../shared/notice-text.ts';

const MAX_SUBJECT = 200;

/** Plain text: nothing to escape, nothing to load, readable everywhere. */
export function emailPayload(notice: Notice): { subject: string; text: string } {
  const subject = clip(`[${stateWord(notice)}] ${notice.title}`.replace(/\s+/g, ' '), MAX_SUBJECT);
  const facts = allFacts(notice).map(({ label, value }) => `${label}: ${value}`);
  const link = notice.url === null ? [] : ['', notice.url];
  return {
    subject,
    text: [notice.text, '', ...facts, ...link, '', `Tallygate, event ${notice.eventId}`, ''].join('\n'),
  };
}

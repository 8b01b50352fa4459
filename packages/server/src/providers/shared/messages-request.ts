import type { RequestFacts } from '../provider.ts';
import { openingWords } from './opening-words.ts';
import { readHeader, readMember, readString } from './read-field.ts';

/** Claude Code names its session in a header, older versions inside `metadata.user_id`: `user_…_session_<uuid>`. */
const SESSION_IN_USER_ID = /_session_([0-9a-f-]{36})$/;

function sessionOf(body: unknown, headers: NodeJS.Dict<string | string[]>): string | null {
  const header = readHeader(headers, 'x-claude-code-session-id');
  if (header !== null) return header;
  const userId = readString(readMember(body, 'metadata'), 'user_id', 1024);
  return userId === null ? null : (SESSION_IN_USER_ID.exec(userId)?.[1] ?? null);
}

/** Facts of a Messages request; usage is always reported, so nothing has to be asked for. */
export function messagesFacts(body: unknown, headers: NodeJS.Dict<string | string[]>): RequestFacts {
  const sessionId = sessionOf(body, headers);
  return {
    model: readString(body, 'model'),
    stream: readMember(body, 'stream') === true,
    sessionId,
    affinity:
      sessionId ??
      readString(readMember(body, 'metadata'), 'user_id', 1024) ??
      openingWords(readMember(body, 'system'), readMember(body, 'messages')),
    injectIncludeUsage: false,
  };
}

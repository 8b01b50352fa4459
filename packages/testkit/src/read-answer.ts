import { AnswerParser } from '@tallygate/server/egress/http1/answer-parser';

/** What a parser tells. */
export type Event =
  | { status: number; headers: string[] }
  | { body: string }
  | { end: boolean }
  | { error: string };

interface Options {
  toHead?: boolean;
  /** The connection ends after the bytes. */
  ends?: boolean;
}

/** What the parser says about bytes in these parts; body bytes that follow each other are joined. */
export function read(
  parts: readonly (string | Buffer)[],
  { toHead = false, ends = false }: Options = {},
): Event[] {
  const events: Event[] = [];
  const parser = new AnswerParser({
    onHead: ({ status, rawHeaders }) => events.push({ status, headers: rawHeaders }),
    onBody(bytes) {
      const last = events.at(-1);
      if (last !== undefined && 'body' in last) last.body += bytes.toString('latin1');
      else events.push({ body: bytes.toString('latin1') });
    },
    onEnd: (reusable) => events.push({ end: reusable }),
  });
  parser.begin(toHead);
  try {
    for (const part of parts) parser.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    if (ends && parser.expects) parser.finish();
  } catch (error) {
    events.push({ error: String((error as { code?: unknown }).code) });
  }
  return events;
}

/** Code of an answer that breaks the rules of HTTP. */
export const MALFORMED = 'HTTP_ANSWER_MALFORMED';
/** A status line. */
export const OK = 'HTTP/1.1 200 OK\r\n';
/** The head of a chunked answer. */
export const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
/** What is read of `CHUNKED`. */
export const CHUNKED_HEAD = { status: 200, headers: ['Transfer-Encoding', 'chunked'] };
/** An answer with these headers, each ended by CRLF. */
export const answer = (head: string, body = ''): string => `${OK}${head}\r\n${body}`;
/** The code with which reading ended; null where it did not fail. */
export const errorOf = (events: readonly Event[]): string | null => {
  const last = events.at(-1);
  return last !== undefined && 'error' in last ? last.error : null;
};

import { isFieldValue, isToken, trimmedSlice } from './field-syntax.ts';
import { malformed } from './upstream-error.ts';

/** What the head of an answer says. */
export interface AnswerHead {
  status: number;
  /** Flat list of name, value; order and case kept. */
  rawHeaders: string[];
  contentLength: number | null;
  chunked: boolean;
  /** The upstream takes another request on the connection, as far as it says so. */
  keepAlive: boolean;
  /** How long it keeps the connection when nothing is sent; null when it does not say. */
  keepAliveTimeoutMs: number | null;
}

/** Far above what any provider sends (about 30). */
const MAX_FIELDS = 1000;
/** Names that are remembered, as they are spelt; longer ones are not worth it. */
const MAX_KNOWN_NAMES = 1024;
const MAX_KNOWN_NAME_LENGTH = 64;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const LINE_END = '\r\n';

type Note = (head: AnswerHead, value: string) => void;

interface FieldName {
  /** Of its own: a part of the head's text would keep the whole of it in memory. */
  name: string;
  /** Takes in a value that says something about the connection or the body; null for nearly all names. */
  note: Note | null;
}

const NOTES: ReadonlyMap<string, Note> = new Map([
  ['content-length', noteContentLength],
  ['transfer-encoding', noteTransferEncoding],
  ['connection', noteConnection],
  ['keep-alive', noteKeepAlive],
]);
const knownNames = new Map<string, FieldName>();

/** The same few names come with every answer: each is checked once. Null for what is no name. */
function fieldName(text: string): FieldName | null {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  if (!isToken(text)) return null;
  const name = Buffer.from(text, 'latin1').toString('latin1');
  const field = { name, note: NOTES.get(name.toLowerCase()) ?? null };
  if (knownNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME_LENGTH) knownNames.set(name, field);
  return field;
}

/** Several lengths, equal ones too, are how two sides come to differ about where an answer ends (RFC 9112 §6.3). */
function noteContentLength(head: AnswerHead, value: string): void {
  if (head.contentLength !== null) malformed('two Content-Length fields');
  if (!/^\d{1,15}$/.test(value)) malformed('a Content-Length that is no number');
  head.contentLength = Number(value);
}

/** Only `chunked` alone: we would hand on the bytes of any other coding as if they were the content. */
function noteTransferEncoding(head: AnswerHead, value: string): void {
  if (head.chunked || value.toLowerCase() !== 'chunked') malformed('a Transfer-Encoding other than chunked');
  head.chunked = true;
}

function noteConnection(head: AnswerHead, value: string): void {
  if (/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(value)) head.keepAlive = false;
}

function noteKeepAlive(head: AnswerHead, value: string): void {
  const seconds = /(?:^|[\t ,])timeout=(\d{1,6})/i.exec(value)?.[1];
  if (seconds !== undefined) head.keepAliveTimeoutMs = Number(seconds) * 1000;
}

/**
 * Reads field lines and hands each on.
 * @param text lines that all end in CRLF
 * @param from where the first one begins
 * @throws UpstreamError when one is none
 */
function readFields(text: string, from: number, onField: (field: FieldName, value: string) => void): void {
  let count = 0;
  for (let at = from; at < text.length; ) {
    const end = text.indexOf(LINE_END, at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > end) malformed('a header line without a colon');
    const field = fieldName(text.slice(at, colon));
    if (field === null) malformed('a header name that is none');
    const value = trimmedSlice(text, colon + 1, end);
    if (!isFieldValue(value)) malformed('a control character in a header');
    if (++count > MAX_FIELDS) malformed('too many headers');
    onField(field, value);
    at = end + LINE_END.length;
  }
}

/**
 * Reads the head of an answer: its status line and fields, as RFC 9112 has them and nothing besides.
 * @param text from the status line to the CRLF of the last field; one character a byte
 * @throws UpstreamError
 */
export function parseAnswerHead(text: string): AnswerHead {
  const lineEnd = text.indexOf(LINE_END);
  const [, minor, status] = STATUS_LINE.exec(text.slice(0, lineEnd)) ?? [];
  if (status === undefined) malformed('the first line is no status line');
  const head: AnswerHead = {
    status: Number(status),
    rawHeaders: [],
    contentLength: null,
    chunked: false,
    keepAlive: minor === '1',
    keepAliveTimeoutMs: null,
  };
  readFields(text, lineEnd + LINE_END.length, ({ name, note }, value) => {
    head.rawHeaders.push(name, value);
    note?.(head, value);
  });
  if (head.chunked && head.contentLength !== null) malformed('Content-Length besides Transfer-Encoding');
  return head;
}

/**
 * Checks the fields behind a chunked body. Nobody asked for them, so they are dropped (RFC 9110 §6.5.1).
 * @param text lines that all end in CRLF
 * @param from where the first one begins
 * @throws UpstreamError
 */
export function checkTrailers(text: string, from: number): void {
  readFields(text, from, ({ note }) => {
    if (note !== null) malformed('a field in the trailers that belongs into the head');
  });
}

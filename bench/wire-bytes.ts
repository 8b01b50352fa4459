/** Bytes rendered once and shared by the load generator and the mock upstream, so that neither spends time on text. */

export const STREAM_EVENTS = 50;
/** Between two events of a paced stream. */
export const PACED_GAP_MS = 20;
export const MODEL = 'claude-sonnet-4-5';
/** Fixed-width places in the pre-rendered bytes that get a number for each request. */
const SERIAL = '0000000000';
export const SERIAL_LENGTH = SERIAL.length;

export type Shape = 'json' | 'sse' | 'paced';

export interface Template {
  bytes: Buffer;
  /** Where the serial number stands. */
  serialAt: number;
}

function template(text: string): Template {
  const bytes = Buffer.from(text);
  const serialAt = bytes.indexOf(SERIAL);
  if (serialAt < 0) throw new Error('the template has no place for a serial number');
  return { bytes, serialAt };
}

/** Writes `serial` as fixed-width decimal digits. */
export function stampSerial(target: Template, serial: number): void {
  let rest = serial;
  for (let at = target.serialAt + SERIAL_LENGTH - 1; at >= target.serialAt; at--) {
    target.bytes[at] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

const INPUT_USAGE = {
  input_tokens: 2095,
  cache_creation_input_tokens: 1024,
  cache_read_input_tokens: 512,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 1024 },
  service_tier: 'standard',
};
const OUTPUT_TOKENS = 503;

const RESPONSE_HEADERS = [
  'Date: Sun, 22 Nov 2026 03:00:00 GMT',
  'anthropic-ratelimit-requests-limit: 4000',
  'anthropic-ratelimit-requests-remaining: 3999',
  'anthropic-ratelimit-requests-reset: 2026-11-22T03:00:01Z',
  'anthropic-ratelimit-input-tokens-limit: 2000000',
  'anthropic-ratelimit-input-tokens-remaining: 1996000',
  'anthropic-ratelimit-input-tokens-reset: 2026-11-22T03:00:01Z',
  'anthropic-ratelimit-output-tokens-limit: 400000',
  'anthropic-ratelimit-output-tokens-remaining: 399000',
  'anthropic-ratelimit-output-tokens-reset: 2026-11-22T03:00:01Z',
  'anthropic-organization-id: 00000000-1111-2222-3333-444444444444',
  `request-id: req_${SERIAL}`,
].join('\r\n');

/** A whole JSON answer, head included, about 1.5 KB. */
export function jsonAnswerTemplate(): Template {
  const body = JSON.stringify({
    id: 'msg_bench',
    type: 'message',
    role: 'assistant',
    model: MODEL,
    content: [{ type: 'text', text: 'Lorem ipsum dolor sit amet. '.repeat(20) }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...INPUT_USAGE, output_tokens: OUTPUT_TOKENS },
  });
  return template(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${RESPONSE_HEADERS}\r\n\r\n${body}`,
  );
}

function event(data: { type: string } & Record<string, unknown>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The fifty events of a stream. */
export function streamEvents(): string[] {
  const message = { id: 'msg_bench', type: 'message', role: 'assistant', model: MODEL, content: [] };
  const opening = [
    event({
      type: 'message_start',
      message: { ...message, stop_reason: null, usage: { ...INPUT_USAGE, output_tokens: 1 } },
    }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    event({ type: 'ping' }),
  ];
  const closing = [
    event({ type: 'content_block_stop', index: 0 }),
    event({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: OUTPUT_TOKENS },
    }),
    event({ type: 'message_stop' }),
  ];
  const delta = { type: 'text_delta', text: ' lorem ipsum' };
  const deltas = STREAM_EVENTS - opening.length - closing.length;
  const middle = Array.from({ length: deltas }, () =>
    event({ type: 'content_block_delta', index: 0, delta }),
  );
  return [...opening, ...middle, ...closing];
}

export function streamHeadTemplate(): Template {
  return template(
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n${RESPONSE_HEADERS}\r\n\r\n`,
  );
}

/** One HTTP chunk (RFC 9112 §7.1). */
export function chunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
export const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** How many decoded body bytes a complete answer of this shape has. */
export function expectedBodyBytes(shape: Shape): number {
  if (shape !== 'json') return Buffer.byteLength(streamEvents().join(''));
  const { bytes } = jsonAnswerTemplate();
  return bytes.length - bytes.indexOf('\r\n\r\n') - 4;
}

/** Marks a paced stream for the mock; stands near the start of the body, which every target hands on byte-exact. */
export const PACED_MARK = '"top_k":77';
export const STREAM_MARK = '"stream":true';

/** A whole request, head included. The serial number makes every prompt unique. */
export function requestTemplate(options: {
  shape: Shape;
  key: string;
  host: string;
  promptBytes: number;
}): Template {
  const { shape, key, host, promptBytes } = options;
  const stream = shape === 'json' ? '"stream":false' : STREAM_MARK;
  const mark = shape === 'paced' ? `,${PACED_MARK}` : '';
  const prompt = 'The quick brown fox jumps over the lazy dog. '
    .repeat(Math.ceil(promptBytes / 45))
    .slice(0, promptBytes);
  const body = `{"model":"${MODEL}","max_tokens":1024,${stream}${mark},"system":[{"type":"text","text":"You are a careful assistant."}],"messages":[{"role":"user","content":"[${SERIAL}] ${prompt}"}]}`;
  return template(
    [
      'POST /v1/messages HTTP/1.1',
      `host: ${host}`,
      'accept: application/json',
      'content-type: application/json',
      'anthropic-version: 2023-06-01',
      'user-agent: bench/1.0',
      'x-stainless-lang: js',
      'x-stainless-runtime: node',
      `x-api-key: ${key}`,
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

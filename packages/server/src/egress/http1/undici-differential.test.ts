import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEgress } from '../egress.ts';
import { createEgressPolicy } from '../egress-policy.ts';

/** The answer as a sender sees it, or that there was none. */
type Seen = { status: number; headers: string[]; body: string } | 'refused';

let server: Server;
let origin: string;
/** What the upstream sends, read by read, before it closes. */
let script: readonly string[] = [];

async function play(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  await once(socket, 'data');
  for (const part of script) {
    socket.write(part, 'latin1');
    await new Promise(setImmediate);
  }
  socket.end();
}

beforeAll(async () => {
  server = createServer({ noDelay: true }, (socket) => void play(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

const METHODS = ['POST', 'HEAD'] as const;
type Method = (typeof METHODS)[number];

function collector(done: (seen: Seen) => void) {
  const seen = { status: 0, headers: [] as string[], body: '' };
  return {
    onRequestQueued() {},
    onRequestStart() {},
    onResponseStart(controller: { rawHeaders?: unknown }, status: number) {
      if (status < 200) return;
      seen.status = status;
      seen.headers = (controller.rawHeaders as (Buffer | string)[]).map((text) =>
        // llhttp leaves the blanks behind a value to it, RFC 9110 §5.5 does not.
        text.toString('latin1').replace(/[ \t]+$/, ''),
      );
    },
    onResponseData(_controller: unknown, bytes: Buffer) {
      seen.body += bytes.toString('latin1');
    },
    onResponseEnd: () => done(seen),
    onResponseError: () => done('refused'),
  };
}

async function withUndici(method: Method): Promise<Seen> {
  const pool = new Pool(origin, { connections: null, pipelining: 1, maxHeaderSize: 64 * 1024 });
  const seen = await new Promise<Seen>((done) => void pool.dispatch({ path: '/', method }, collector(done)));
  await pool.destroy();
  return seen;
}

async function withOurs(method: Method): Promise<Seen> {
  const policy = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
  const egress = createEgress({ connectTimeoutMs: 2_000, policy });
  const request = { path: '/', method, headers: [], body: null, headTimeoutMs: 5_000, bodyTimeoutMs: 5_000 };
  const seen = await new Promise<Seen>((done) =>
    egress.upstream({ origin, allowPrivate: true }).send(request, collector(done)),
  );
  await egress.destroy();
  return seen;
}

/** The same bytes, in the same reads, to both. */
async function both(
  parts: readonly string[],
  method: Method = 'POST',
): Promise<{ undici: Seen; ours: Seen }> {
  script = parts;
  const undici = await withUndici(method);
  return { undici, ours: await withOurs(method) };
}

const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = 'content-length: 2\r\n\r\nok';
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';

describe('deliberate differences', () => {
  it.each([
    // A coding that nobody takes off would go to the client as if it were the content.
    ['gzip, chunked', `${OK}transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ['identity', `${OK}transfer-encoding: identity\r\n\r\nok`],
    ['chunked twice', `${OK}transfer-encoding: chunked\r\n${CHUNKED}2\r\nok\r\n0\r\n\r\n`],
    ['another version', `HTTP/2.0 200 OK\r\n${LENGTH}`],
    ['a line before the status line', `\r\n${OK}${LENGTH}`],
    ['a quoted pair in an extension', `${OK}${CHUNKED}2;a="\\""\r\nok\r\n0\r\n\r\n`],
    ['a size of 14 digits', `${OK}${CHUNKED}00000000000002\r\nok\r\n0\r\n\r\n`],
    ['a trailer about the connection', `${OK}${CHUNKED}0\r\nconnection: close\r\n\r\n`],
  ])('ours refuses: %s', async (_what, text) => {
    const { undici, ours } = await both([text]);
    expect([undici, ours]).toEqual([expect.objectContaining({ status: 200 }), 'refused']);
  });

  it.each([
    // RFC 9110 §15.2: a client must be able to read interim answers that it did not ask for.
    ['100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}${LENGTH}`],
    ['an interim answer that announces the end', `HTTP/1.1 103 x\r\nconnection: close\r\n\r\n${OK}${LENGTH}`],
    // RFC 9110 §5.5: blanks behind a value are no part of it.
    ['a blank behind a length', `${OK}content-length: 2 \r\n\r\nok`],
  ])('ours accepts: %s', async (_what, text) => {
    const { undici, ours } = await both([text]);
    expect([undici, ours]).toEqual(['refused', expect.objectContaining({ status: 200, body: 'ok' })]);
  });
});

/** Pieces of answers, some of which no answer may have; the differences above are not among them. */
const STATUS_LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 529 Over\tloaded \xe9',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 404',
  'HTTP/1.1 204 No',
  'HTTP/1.1 304 Not',
  'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK',
  'HTTP/1.1 101 Switching',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.3 200 OK',
  'http/1.1 200 OK',
  'HTTP/1.1 200 O\rK',
  'HTTP/1.1 200 OK\r',
];
const FIELDS = [
  'X-A: 1',
  'x-a:\t2 \t',
  'x-b:',
  'x: \xe9\x80',
  '__proto__: 1',
  'content-type: text/event-stream',
  'connection: keep-alive',
  'connection: close',
  'keep-alive: timeout=5',
  "!#$%&'*+-.^_`|~9: x",
  'x-a : 1',
  'x a: 1',
  'x(: 1',
  ': 1',
  'x',
  '\xe9: 1',
  'x: a\rb',
  'x: a\nb: c',
  'x: a\x00b',
  'x: a\x1fb',
  'x: a\x7fb',
  'x: a\r\n b',
  ' x: a',
];
const FRAMINGS = [
  'content-length: 2\r\n',
  'Content-Length: 002\r\n',
  'content-length: 0\r\n',
  'content-length: 3\r\n',
  'content-length: 1\r\n',
  'content-length: 2, 2\r\n',
  'content-length: 2\r\ncontent-length: 2\r\n',
  'content-length: 2\r\nContent-Length: 3\r\n',
  'content-length: -2\r\n',
  'content-length: 0x2\r\n',
  'content-length:\r\n',
  'content-length: 99999999999999999999\r\n',
  'transfer-encoding: chunked\r\n',
  'Transfer-Encoding: CHUNKED\r\n',
  'transfer-encoding: chunked\r\ncontent-length: 2\r\n',
  'content-length: 2\r\ntransfer-encoding: chunked\r\n',
  '',
];
const BODIES = [
  'ok',
  '',
  'o',
  'okay',
  '2\r\nok\r\n0\r\n\r\n',
  '1\r\no\r\n01\r\nk\r\n0\r\n\r\n',
  'A\r\n0123456789\r\n0\r\nx: 1\r\ny:\r\n\r\n',
  '2;a=b;c="d"\r\nok\r\n0\r\n\r\n',
  '2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  '2\r\nok\r\n',
  '2\r\nok\r\n0\r\n',
  '2\nok\r\n0\r\n\r\n',
  '2\r\nokk\r\n0\r\n\r\n',
  '2 \r\nok\r\n0\r\n\r\n',
  '2;\r\nok\r\n0\r\n\r\n',
  '2; a\r\nok\r\n0\r\n\r\n',
  '0x2\r\nok\r\n0\r\n\r\n',
  '+2\r\nok\r\n0\r\n\r\n',
  'g\r\nok\r\n0\r\n\r\n',
  '0\r\nx\r\n\r\n',
  '0\r\ncontent-length: 1\r\n\r\n',
  '0\r\n x: 1\r\n\r\n',
];
/** Far more often what is right, so that one wrong piece is not lost among others. */
const mostly = (list: readonly string[], good: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...list.slice(0, good)) },
    { weight: 1, arbitrary: fc.constantFrom(...list) },
  );

const ANSWERS = fc
  .tuple(
    mostly(STATUS_LINES, 5),
    fc.array(mostly(FIELDS, 10), { maxLength: 4 }),
    fc.constantFrom(...FRAMINGS),
    fc.constantFrom(...BODIES),
  )
  .map(
    ([line, fields, framing, body]) =>
      `${line}\r\n${fields.map((field) => `${field}\r\n`).join('')}${framing}\r\n${body}`,
  );

describe('any other answer', () => {
  it('is to ours what it is to undici', { timeout: 120_000 }, async () => {
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        ANSWERS,
        fc.constantFrom(...METHODS),
        fc.array(fc.nat(), { maxLength: 3 }),
        async (text, method, places) => {
          const cuts = places.map((place) => place % text.length).sort((a, b) => a - b);
          const parts = [0, ...cuts].map((from, i) => text.slice(from, cuts[i] ?? text.length));
          const { undici, ours } = await both(parts, method);
          expect(ours).toEqual(undici);
          if (ours === 'refused') refused += 1;
          else accepted += 1;
        },
      ),
      { numRuns: 600 },
    );
    // The comparison means something only while both kinds are common.
    expect(Math.min(accepted, refused)).toBeGreaterThan(100);
  });

  it.each(STATUS_LINES.flatMap((line) => METHODS.map((method) => [line, method] as const)))(
    '%j to %s',
    async (line, method) => {
      const { undici, ours } = await both(
        [`${line}\r\n${method === 'HEAD' ? 'content-length: 2\r\n\r\n' : LENGTH}`],
        method,
      );
      expect(ours).toEqual(undici);
    },
  );

  it.each(FIELDS)('with the field %j', async (field) => {
    const { undici, ours } = await both([`${OK}${field}\r\n${LENGTH}`]);
    expect(ours).toEqual(undici);
  });

  it.each(FRAMINGS.flatMap((framing) => BODIES.map((body) => [framing, body] as const)))(
    'framed by %j with %j',
    async (framing, body) => {
      const { undici, ours } = await both([`${OK}${framing}\r\n${body}`]);
      expect(ours).toEqual(undici);
    },
  );
});

import { once } from 'node:events';
import { createConnection } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { anthropicApi, anthropicEvents } from './anthropic.ts';
import { CUTS, withCrlf } from './chunking.ts';
import { jsonAnswer, sseAnswer, stall } from './exchange.ts';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { chatEvents } from './openai.ts';
import { createRequestParser } from './request-parser.ts';

let upstream: FakeUpstream | undefined;
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
});

describe('the fake upstream', () => {
  it('records head, header case and order, and both forms of a chunked body', async () => {
    upstream = await startFakeUpstream(jsonAnswer({ ok: true }));
    const socket = createConnection(upstream.port, '127.0.0.1');
    const head =
      'POST /v1/x?a=1&a=2 HTTP/1.1\r\nHost: h\r\nX-Odd-CASE: one\r\nx-odd-case: two\r\nTransfer-Encoding: chunked\r\n\r\n';
    const wire = '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';
    socket.write(head + wire);
    const request = await upstream.nextRequest();
    await request.received;
    expect(request.rawHead.toString()).toBe(head);
    expect(request.target).toBe('/v1/x?a=1&a=2');
    expect(request.values('X-ODD-case')).toEqual(['one', 'two']);
    expect(request.headers[1]?.[0]).toBe('X-Odd-CASE');
    expect(request.body().toString()).toBe('hello!');
    expect(request.rawBody().toString()).toBe(wire);
    socket.destroy();
  });

  it('parses a request the same however the bytes arrive', () => {
    const bytes = Buffer.from(
      'POST /a HTTP/1.1\r\ncontent-length: 4\r\n\r\nbodyPOST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\nGET /c HTTP/1.1\r\n\r\n',
    );
    const parse = (pieces: Buffer[]): string[] => {
      const seen: string[] = [];
      let body = '';
      const feed = createRequestParser({
        head: (head) => seen.push(`${head.method} ${head.target}`),
        body: (decoded) => (body += decoded.toString()),
        end: () => {
          seen.push(body);
          body = '';
        },
      });
      for (const piece of pieces) feed(piece);
      return seen;
    };
    const expected = ['POST /a', 'body', 'POST /b', 'abc', 'GET /c', ''];
    expect(parse([bytes])).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        expect(parse(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toEqual(expected);
      }),
    );
  });

  it('every way of cutting a stream keeps its bytes', () => {
    for (const events of [anthropicEvents({ thinking: 'hm' }), chatEvents(), withCrlf(anthropicEvents())]) {
      for (const [name, cut] of Object.entries(CUTS)) {
        expect(Buffer.concat(cut(events)).toString(), name).toBe(events.join(''));
      }
    }
    const insideCharacters = CUTS['inside multi-byte characters'];
    expect(insideCharacters?.(anthropicEvents()).some((piece) => (piece.at(-1) ?? 0) >= 0xc0)).toBe(true);
  });

  it('streams when the body asks for it, and answers plain JSON when not', async () => {
    upstream = await startFakeUpstream(anthropicApi());
    const call = (stream: boolean) =>
      fetch(`${upstream?.url}/v1/messages`, { method: 'POST', body: JSON.stringify({ model: 'm', stream }) });
    expect(await (await call(true)).text()).toBe(anthropicEvents({ model: 'm' }).join(''));
    expect(await (await call(false)).json()).toMatchObject({ model: 'm', usage: { output_tokens: 500 } });
  });

  it('tells when the peer goes away', async () => {
    upstream = await startFakeUpstream(stall);
    const socket = createConnection(upstream.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    const request = await upstream.nextRequest();
    const left = performance.now();
    socket.resetAndDestroy();
    expect(await request.peerGone).toBeGreaterThanOrEqual(left);
  });

  it('can reset in mid-stream', async () => {
    upstream = await startFakeUpstream(async (exchange) => {
      await sseAnswer(['data: 1\n\n'])({ ...exchange, endChunks: () => Promise.resolve(true) });
      exchange.reset();
    });
    const socket = createConnection(upstream.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    const [error] = (await once(socket, 'error').catch((e: unknown) => [e])) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });
});

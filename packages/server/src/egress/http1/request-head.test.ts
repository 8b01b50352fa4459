import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsNext, requestHead, type UpstreamRequest } from './request-head.ts';

function request(change: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'POST',
    path: '/v1',
    headers: [],
    body: null,
    headTimeoutMs: 1,
    bodyTimeoutMs: 1,
    ...change,
  };
}

const INVALID = expect.objectContaining({ code: 'HTTP_REQUEST_INVALID' });
const headOf = (change: Partial<UpstreamRequest>): string => requestHead(request(change), 'upstream.example');
function errorOf(change: Partial<UpstreamRequest>): unknown {
  try {
    return headOf(change);
  } catch (error) {
    return error;
  }
}

describe('heads of requests', () => {
  it('have host, connection and length from us, the rest as it was given', () => {
    expect(headOf({ headers: ['X-B', '1', 'x-a', '', 'X-B', 'z \xe9'], body: Buffer.from('{}') })).toBe(
      'POST /v1 HTTP/1.1\r\nhost: upstream.example\r\nconnection: keep-alive\r\nX-B: 1\r\nx-a: \r\nX-B: z \xe9\r\ncontent-length: 2\r\n\r\n',
    );
  });

  it.each([
    ['POST', null, 'content-length: 0\r\n', 'keep-alive'],
    ['POST', '', 'content-length: 0\r\n', 'keep-alive'],
    ['POST', '123', 'content-length: 3\r\n', 'keep-alive'],
    ['GET', null, '', 'keep-alive'],
    ['GET', '123', 'content-length: 3\r\n', 'close'],
    ['HEAD', null, '', 'close'],
  ] as const)('%s with body %j', (method, text, length, connection) => {
    const body = text === null ? null : Buffer.from(text);
    expect(headOf({ method, body })).toBe(
      `${method} /v1 HTTP/1.1\r\nhost: upstream.example\r\nconnection: ${connection}\r\n${length}\r\n`,
    );
    expect(allowsNext(request({ method, body }))).toBe(connection === 'keep-alive');
  });

  it.each([
    '',
    'v1',
    'http://other.example/',
    '/a b',
    '/a\tb',
    '/a\r\nx: 1',
    '/a\n',
    '/a\x00',
    '/a\x7f',
    '/\u0100',
    '*',
  ])('refuse the path %j', (path) => {
    expect(errorOf({ path })).toEqual(INVALID);
  });

  it('take any other path', () => {
    for (const path of ['/', '/v1?x=1&y=%20', '//x', '/\xe9', "/!$&'()*+,;=:@~-._"])
      expect(headOf({ path })).toContain(` ${path} HTTP/1.1\r\n`);
  });

  it.each(['', 'x y', 'x:', 'x\r\ny', 'x\n', 'x\x00', 'x(', '\xe9', '\u0130'])(
    'refuse the name %j',
    (name) => {
      expect(errorOf({ headers: [name, '1'] })).toEqual(INVALID);
    },
  );

  it.each(['1\r\nx: 2', '1\n', '\r', '\x00', '\x1b', '\x7f', '\u0100', '\u560d\u560a'])(
    'refuse the value %j',
    (value) => {
      expect(errorOf({ headers: ['x', value] })).toEqual(INVALID);
    },
  );

  it.each([
    'Host',
    'connection',
    'Content-Length',
    'TRANSFER-ENCODING',
    'keep-alive',
    'upgrade',
    'expect',
    'te',
    'trailer',
  ])('refuse %s from elsewhere, the second time too', (name) => {
    for (let i = 0; i < 2; i++) expect(errorOf({ headers: [name, '1'] })).toEqual(INVALID);
  });

  it('refuse a name without a value', () => {
    expect(errorOf({ headers: ['x'] })).toEqual(INVALID);
  });

  it('never name the bytes that were wrong: they may be a credential', () => {
    expect(String(errorOf({ headers: ['authorization', 'Bearer secret\n'] }))).not.toContain('secret');
  });

  it('have as many lines as headers, whatever these hold', () => {
    const usual = fc.constantFrom('a', 'Z', '9', '-', 'x', 'b');
    const any = fc.integer({ min: 0, max: 300 }).map((code) => String.fromCharCode(code));
    const unit = fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: any });
    const text = fc.string({ unit, minLength: 1, maxLength: 8 });
    let sent = 0;
    fc.assert(
      fc.property(text, fc.array(fc.tuple(text, text), { maxLength: 4 }), (path, fields) => {
        const head = errorOf({ path: `/${path}`, headers: fields.flat() });
        if (typeof head !== 'string') return (head as { code?: unknown }).code === 'HTTP_REQUEST_INVALID';
        sent += 1;
        return head.split(/[\r\n]+/).length === fields.length + 5;
      }),
      { numRuns: 500 },
    );
    expect(sent).toBeGreaterThan(100);
    expect(sent).toBeLessThan(500);
  });
});

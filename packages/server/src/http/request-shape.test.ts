import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import { shapeProblem } from './request-shape.ts';

interface Head {
  url?: string;
  rawHeaders?: string[];
  httpVersion?: string;
}
function problemOf({
  url = '/v1/messages',
  rawHeaders = ['Host', 'gate.example'],
  httpVersion = '1.1',
}: Head) {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] ?? '').toLowerCase()] ??= rawHeaders[i + 1] ?? '';
  return shapeProblem({ url, rawHeaders, headers, httpVersion });
}
const codeOf = (head: Head): string | null => problemOf(head)?.code ?? null;
const HOST = ['Host', 'gate.example'];

describe('the head of a request (CW-08)', () => {
  it('is in order as clients send it', () => {
    expect(codeOf({})).toBeNull();
    expect(codeOf({ url: '//double?x=/../' })).toBeNull(); // a path that nobody serves, and nothing more
    expect(codeOf({ rawHeaders: [], httpVersion: '1.0' })).toBeNull();
    expect(
      codeOf({ rawHeaders: [...HOST, 'accept', 'a', 'accept', 'b', 'x-y', '1', 'X-Y', '2'] }),
    ).toBeNull();
  });

  it.each(['http://gate.example/v1/messages', 'gate.example:443', '*', '', 'v1/messages', '?x', '\\x'])(
    'has a path for a target, not %j (RFC 9112 §3.2)',
    (url) => expect(codeOf({ url })).toBe('invalid_request'),
  );

  it.each(['/v1/messages#', '/#/v1/messages', '/v1/messages?a=b#c'])(
    'has no fragment, as %j has (RFC 9112 §3.2)',
    (url) => expect(codeOf({ url })).toBe('invalid_request'),
  );

  it('may have a number sign as data', () => expect(codeOf({ url: '/v1/models?q=%23' })).toBeNull());

  it('names its host, but for HTTP/1.0', () => {
    expect(codeOf({ rawHeaders: ['accept', '*/*'] })).toBe('invalid_request');
    expect(codeOf({ rawHeaders: ['accept', '*/*'], httpVersion: '1.0' })).toBeNull();
  });

  it('has bounds, to the last character and field', () => {
    const path = (chars: number): string => `/${'a'.repeat(chars - 1)}`;
    expect([codeOf({ url: path(8_192) }), codeOf({ url: path(8_193) })]).toEqual([null, 'invalid_request']);
    const fields = (count: number): string[] => [
      ...HOST,
      ...Array.from({ length: count - 1 }, (_, i) => [`x-${i}`, '1']).flat(),
    ];
    expect([codeOf({ rawHeaders: fields(100) }), codeOf({ rawHeaders: fields(101) })]).toEqual([
      null,
      'headers_too_large',
    ]);
  });

  it.each(['authorization', 'host', 'content-type', 'cookie', 'x-csrf-token', 'origin', ...KEY_HEADERS])(
    'has %s once, in whatever case, so that nobody can wonder which one counted',
    (name) => {
      const twice = name === 'host' ? ['HOST', 'other'] : [name, 'a', name.toUpperCase(), 'b'];
      const problem = problemOf({ rawHeaders: [...HOST, ...twice] });
      expect(problem?.code).toBe('invalid_request');
      expect(problem?.message).toContain(`"${name}" was sent more than once`);
      expect(problem?.message).not.toContain('other');
    },
  );

  it('has its body chunked or not at all, and that only since HTTP/1.1 (RFC 9112 §6.1)', () => {
    const coded = (coding: string, httpVersion = '1.1') =>
      codeOf({ rawHeaders: [...HOST, 'Transfer-Encoding', coding], httpVersion });
    expect([coded('chunked'), coded('Chunked')]).toEqual([null, null]);
    for (const coding of [
      'identity, chunked',
      'gzip, chunked',
      'chunked, chunked',
      'identity',
      ' chunked',
      '',
    ])
      expect(coded(coding)).toBe('invalid_request');
    expect(coded('chunked', '1.0')).toBe('invalid_request');
  });

  it('may name a field inside a value, or one whose name is part of another', () => {
    expect(
      codeOf({ rawHeaders: [...HOST, 'x-a', 'host authorization', 'cookie', 'origin origin'] }),
    ).toBeNull();
    expect(
      codeOf({ rawHeaders: [...HOST, 'x-host', 'a', 'hosts', 'b', 'origin', 'c', 'x-orig', 'd'] }),
    ).toBeNull();
  });

  it('is judged without an error, whatever is in it', () => {
    const field = fc.tuple(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.string(), fc.array(field, { maxLength: 20 }), (url, fields) => {
        expect(() => problemOf({ url, rawHeaders: [...HOST, ...fields.flat()] })).not.toThrow();
      }),
    );
  });
});

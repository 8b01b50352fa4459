import { answer, CHUNKED, type Event, errorOf, MALFORMED, OK, read } from '@tallygate/testkit/read-answer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerParser } from './answer-parser.ts';

describe('heads', () => {
  it('keep order, case and repetition; blanks around a value are no part of it', () => {
    const text = answer('X-B: 1\r\nx-a:\t two words \t\r\nX-B: 3\r\nx-empty:\r\ncontent-length: 0\r\n');
    expect(read([text])).toEqual([
      {
        status: 200,
        headers: ['X-B', '1', 'x-a', 'two words', 'X-B', '3', 'x-empty', '', 'content-length', '0'],
      },
      { end: true },
    ]);
  });

  it('take values byte for byte', () => {
    const value = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i + 128));
    expect(read([answer(`x: a${value}b\r\ncontent-length: 0\r\n`)])[0]).toMatchObject({
      headers: ['x', `a${value}b`, 'content-length', '0'],
    });
  });

  it('may have names that mean something to JavaScript', () => {
    const text = answer('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\ncontent-length: 0\r\n');
    expect(read([text])[0]).toMatchObject({
      headers: ['__proto__', '1', 'constructor', '2', 'toString', '3', 'content-length', '0'],
    });
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  it.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.0 200 OK', 200],
    ['HTTP/1.1 529 Overloaded\tnow', 529],
    ['HTTP/1.1 404 ', 404],
    ['HTTP/1.1 404', 404],
    ['HTTP/1.1 999 \xe9', 999],
  ])('%j is a status line', (line, status) => {
    expect(read([`${line}\r\ncontent-length: 0\r\n\r\n`])[0]).toMatchObject({ status });
  });

  it.each([
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 OK\r',
    'HTTP/1.1\t200 OK',
    'GET / HTTP/1.1',
    '',
  ])('%j is none', (line) => {
    expect(errorOf(read([`${line}\r\ncontent-length: 0\r\n\r\n`]))).toBe(MALFORMED);
  });

  it.each([
    ['a line without a colon', 'x-a\r\n'],
    ['a blank before the colon', 'x-a : 1\r\n'],
    ['a folded line', 'x-a: 1\r\n 2\r\n'],
    ['a folded first line', ' x-a: 1\r\n'],
    ['no name', ': 1\r\n'],
    ['a bracket in a name', 'x(a: 1\r\n'],
    ['a letter that is not ASCII in a name', 'x\xe9: 1\r\n'],
    ['a lone carriage return', 'x-a: 1\r2\r\n'],
    ['a lone carriage return at the end', 'x-a: 1\r\r\n'],
    ['a lone line feed', 'x-a: 1\nx-b: 2\r\n'],
    ['a line feed that hides a length', 'x-a: 1\ncontent-length: 5\r\n'],
    ['a NUL', 'x-a: 1\x002\r\n'],
    ['a control character', 'x-a: 1\x1f\r\n'],
    ['a DEL', 'x-a: 1\x7f\r\n'],
  ])('refuse %s', (_what, line) => {
    expect(errorOf(read([answer(`${line}content-length: 0\r\n`)]))).toBe(MALFORMED);
  });

  it('that end their lines with line feeds alone never end', () => {
    expect(errorOf(read(['HTTP/1.1 200 OK\ncontent-length: 2\n\nok'], { ends: true }))).toBe(
      'HTTP_CONNECTION_CLOSED',
    );
  });

  it('are known for something else by their first bytes', () => {
    for (const text of ['SSH-2.0-OpenSSH_9.6\r\n', '\x16\x03\x01', 'h', 'HTTP/2'])
      expect(errorOf(read([text]))).toBe(MALFORMED);
    expect(read(['H', 'TTP/', '1.'])).toEqual([]);
  });

  it('have 64 KiB, all that come before the body together', () => {
    const fitting = (bytes: number): string => `x: ${'a'.repeat(bytes - 7 - OK.length)}\r\n`;
    const text = answer(fitting(64 * 1024));
    expect(text).toHaveLength(64 * 1024);
    expect(errorOf(read([text]))).toBeNull();
    expect(errorOf(read([answer(fitting(64 * 1024 + 1))]))).toBe('HTTP_HEAD_TOO_LARGE');
    expect(errorOf(read([text.slice(0, 1000), text.slice(1000)]))).toBeNull();
    const endless = Buffer.alloc(1000, 'a');
    expect(errorOf(read([OK, ...Array.from({ length: 66 }, () => endless)]))).toBe('HTTP_HEAD_TOO_LARGE');
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    const many = interim.repeat(Math.ceil((64 * 1024) / interim.length));
    expect(errorOf(read([many]))).toBe('HTTP_HEAD_TOO_LARGE');
    expect(errorOf(read(many.split(/(?<=\r\n\r\n)/)))).toBe('HTTP_HEAD_TOO_LARGE');
  });

  it('are not charged for the body that comes in the same read', () => {
    const body = 'b'.repeat(200_000);
    const [first, rest] = [OK.slice(0, 5), `${OK.slice(5)}content-length: 200000\r\n\r\n${body}`];
    expect(read([first, rest]).slice(1)).toEqual([{ body }, { end: true }]);
  });

  it('have 1000 headers', () => {
    const of = (count: number): string => answer(`${'x: 1\r\n'.repeat(count - 1)}content-length: 0\r\n`);
    expect(errorOf(read([of(1000)]))).toBeNull();
    expect(errorOf(read([of(1001)]))).toBe(MALFORMED);
  });

  it('byte by byte cost no more than their bytes', () => {
    const text = answer(`x: ${'a'.repeat(60_000)}\r\ncontent-length: 0\r\n`);
    const parts = Array.from(text, (one) => Buffer.from(one, 'latin1'));
    const startedAt = performance.now();
    expect(errorOf(read(parts))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(2_000); // a copy of the whole for each byte takes far longer
  });
});

describe('interim answers', () => {
  it('come before the final one, any number of them', () => {
    const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${answer('content-length: 2\r\n', 'ok')}`;
    expect(read([text])).toEqual([
      { status: 100, headers: [] },
      { status: 103, headers: ['link', 'x'] },
      { status: 200, headers: ['content-length', '2'] },
      { body: 'ok' },
      { end: true },
    ]);
  });

  it('have no body, whatever they say', () => {
    const text = `HTTP/1.1 103 Early Hints\r\ncontent-length: 50\r\n\r\n${answer('content-length: 2\r\n', 'ok')}`;
    expect(read([text]).slice(2)).toEqual([{ body: 'ok' }, { end: true }]);
  });

  it('that announce the end of the connection are believed', () => {
    const text = `HTTP/1.1 103 Early Hints\r\nconnection: close\r\n\r\n${answer('content-length: 2\r\n', 'ok')}`;
    expect(read([text]).at(-1)).toEqual({ end: false });
  });

  it('never change the protocol', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n';
    expect(read([text])).toEqual([{ error: MALFORMED }]);
  });
});

describe('answers without a body', () => {
  it.each([
    [204, '', true],
    [304, '', true],
    [204, 'content-length: 0\r\n', true],
    [204, 'content-length: 2\r\n', false],
    [304, 'content-length: 2\r\n', false],
    [304, 'transfer-encoding: chunked\r\n', false],
  ])('%i with %j', (status, head, reusable) => {
    expect(read([`HTTP/1.1 ${status} x\r\n${head}\r\n`]).slice(1)).toEqual([{ end: reusable }]);
  });

  it('are those to HEAD', () => {
    for (const head of ['content-length: 2\r\n', 'transfer-encoding: chunked\r\n', ''])
      expect(read([answer(head)], { toHead: true }).slice(1)).toEqual([{ end: head === '' }]);
  });
});

describe('whether another request may follow', () => {
  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'connection: keep-alive\r\n', true],
    ['HTTP/1.1', 'Connection: x-a, Close\r\n', false],
    ['HTTP/1.1', 'connection: keep-alive\r\nconnection: close\r\n', false],
    ['HTTP/1.1', 'connection: closed\r\n', true],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'connection: keep-alive\r\n', false],
  ])('%s with %j', (version, head, reusable) => {
    const text = `${version} 200 OK\r\n${head}content-length: 1\r\n\r\nx`;
    expect(read([text]).at(-1)).toEqual({ end: reusable });
  });
});

describe('a reader that has enough', () => {
  it.each(['onHead', 'onBody'] as const)('hears nothing after %s', (when) => {
    const heard: string[] = [];
    const stop = (name: string): void => {
      heard.push(name);
      if (name === when) parser.stop();
    };
    const parser = new AnswerParser({
      onHead: () => stop('onHead'),
      onBody: () => stop('onBody'),
      onEnd: () => stop('onEnd'),
    });
    for (const text of [`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`, answer('content-length: 2\r\n', 'ok')]) {
      heard.length = 0;
      parser.begin(false);
      parser.push(Buffer.from(text));
      parser.push(Buffer.from('more'));
      expect(heard).toEqual(when === 'onHead' ? ['onHead'] : ['onHead', 'onBody']);
    }
  });
});

describe('wherever reads cut an answer', () => {
  const value = fc.stringMatching(/^[a-z0-9 ]{0,12}$/);
  const fields = fc.array(fc.tuple(fc.constantFrom('x-a', 'Content-Type', 'x-request-id'), value), {
    maxLength: 5,
  });
  const chunk = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  const framing = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }).map((body) => ({
      head: `content-length: ${Buffer.byteLength(body, 'latin1')}\r\n`,
      body,
    })),
    fc
      .tuple(
        fc.array(chunk, { maxLength: 5 }),
        fc.constantFrom('', ';a=b', ';q="1"'),
        fc.constantFrom('', 'x: 1\r\n'),
      )
      .map(([chunks, extension, trailers]) => ({
        head: 'transfer-encoding: chunked\r\n',
        body: `${chunks.map((data) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join('')}0\r\n${trailers}\r\n`,
      })),
    fc.string({ unit: 'binary', maxLength: 60 }).map((body) => ({ head: '', body })),
  );
  const bytesOf = fc
    .tuple(fields, framing, fc.constantFrom('', 'HTTP/1.1 103 x\r\n\r\n'))
    .map(([list, { head, body }, interim]) => {
      const lines = list.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      return Buffer.from(`${interim}${OK}${lines}${head}\r\n${body}`, 'latin1');
    });

  function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
    const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
    return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
  }

  it('the events are the same', () => {
    fc.assert(
      fc.property(bytesOf, fc.array(fc.nat(), { maxLength: 12 }), (bytes, places) => {
        const whole = read([bytes], { ends: true });
        expect(errorOf(whole)).toBeNull();
        expect(read(cut(bytes, places), { ends: true })).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  /** Bytes behind the end forbid another use in the read that brings both; in a later one the connection sees them. */
  const told = (events: readonly Event[]) => events.map((event) => ('end' in event ? 'end' : event));

  it('with a byte that is not what it was, too', () => {
    fc.assert(
      fc.property(bytesOf, fc.nat(), fc.nat({ max: 255 }), (bytes, place, byte) => {
        const spoilt = Buffer.from(bytes);
        spoilt[place % spoilt.length] = byte;
        const whole = read([spoilt], { ends: true });
        const single = read(
          Array.from(spoilt, (_, i) => spoilt.subarray(i, i + 1)),
          { ends: true },
        );
        const failed = errorOf(whole) !== null;
        // Where it fails, how much of the body went out before may differ, and so may which rule was broken first.
        expect(errorOf(single) !== null).toBe(failed);
        if (!failed) expect(told(single)).toEqual(told(whole));
      }),
      { numRuns: 1000 },
    );
  });
});

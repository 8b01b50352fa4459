import { answer, CHUNKED, CHUNKED_HEAD, errorOf, MALFORMED, OK, read } from '@tallygate/testkit/read-answer';
import { describe, expect, it } from 'vitest';
import { AnswerParser } from './answer-parser.ts';

describe('bodies by length', () => {
  it('end with their last byte; what follows is not read and spoils the connection', () => {
    const text = answer('content-length: 2\r\n', 'ok');
    const head = { status: 200, headers: ['content-length', '2'] };
    expect(read([text])).toEqual([head, { body: 'ok' }, { end: true }]);
    expect(read([`${text}more`])).toEqual([head, { body: 'ok' }, { end: false }]);
    expect(read([text + text])).toEqual([head, { body: 'ok' }, { end: false }]);
  });

  it('are handed on without a copy', () => {
    const bytes = Buffer.from(answer('content-length: 2\r\n', 'ok'));
    const bodies: Buffer[] = [];
    const parser = new AnswerParser({ onHead() {}, onBody: (body) => bodies.push(body), onEnd() {} });
    parser.begin(false);
    parser.push(bytes);
    expect(bodies[0]?.buffer).toBe(bytes.buffer);
  });

  it('that are cut are an error', () => {
    const text = answer('content-length: 3\r\n', 'ok');
    expect(errorOf(read([text], { ends: true }))).toBe('HTTP_CONNECTION_CLOSED');
    expect(errorOf(read([], { ends: true }))).toBe('HTTP_CONNECTION_CLOSED');
    expect(errorOf(read([OK], { ends: true }))).toBe('HTTP_CONNECTION_CLOSED');
  });

  it.each(['2, 2', '2,2', '+2', '-2', '0x2', '2.0', '1e1', '', '٢', '2 2', '9'.repeat(16)])(
    'refuse %j as a length',
    (length) => {
      expect(errorOf(read([answer(`content-length: ${length}\r\n`, 'ok')]))).toBe(MALFORMED);
    },
  );

  it('refuse two lengths, equal ones too', () => {
    for (const [a, b] of [
      [2, 2],
      [2, 3],
      [3, 2],
    ])
      expect(errorOf(read([answer(`content-length: ${a}\r\nContent-Length: ${b}\r\n`, 'ok')]))).toBe(
        MALFORMED,
      );
  });
});

describe('chunked bodies', () => {
  it.each([
    ['one chunk', '2\r\nok\r\n0\r\n\r\n', 'ok'],
    ['several', '1\r\no\r\n1\r\nk\r\n0\r\n\r\n', 'ok'],
    ['none', '0\r\n\r\n', null],
    ['capitals and leading zeros', '00A\r\n0123456789\r\n000\r\n\r\n', '0123456789'],
    ['line ends as data', '4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n'],
    ['extensions', '2;a;b=c;d="e; \t\xe9"\r\nok\r\n0;z\r\n\r\n', 'ok'],
    ['trailers', '2\r\nok\r\n0\r\nx-sum: 1\r\nx-b:\r\n\r\n', 'ok'],
  ])('%s', (_what, framed, body) => {
    const events = body === null ? [CHUNKED_HEAD] : [CHUNKED_HEAD, { body }];
    expect(read([CHUNKED + framed])).toEqual([...events, { end: true }]);
    expect(read([`${CHUNKED}${framed}HTTP`])).toEqual([...events, { end: false }]);
  });

  it.each([
    ['no size', '\r\nok\r\n0\r\n\r\n'],
    ['a size that is no number', 'x\r\nok\r\n0\r\n\r\n'],
    ['a prefix', '0x2\r\nok\r\n0\r\n\r\n'],
    ['a sign', '+2\r\nok\r\n0\r\n\r\n'],
    ['a blank before the size', ' 2\r\nok\r\n0\r\n\r\n'],
    ['a blank behind the size', '2 \r\nok\r\n0\r\n\r\n'],
    ['a line feed alone', '2\nok\r\n0\r\n\r\n'],
    ['a carriage return alone', '2\rok\r\n0\r\n\r\n'],
    ['a chunk longer than its size', '2\r\nokk\r\n0\r\n\r\n'],
    ['a chunk that a line feed ends', '2\r\nok\n0\r\n\r\n'],
    ['a carriage return twice', '2\r\nok\r\r\n0\r\n\r\n'],
    ['a size of 14 digits', '00000000000002\r\nok\r\n0\r\n\r\n'],
    ['an extension without a name', '2;\r\nok\r\n0\r\n\r\n'],
    ['an extension with a blank', '2; a\r\nok\r\n0\r\n\r\n'],
    ['an extension that hides a line end', '2;a="\n"\r\nok\r\n0\r\n\r\n'],
    ['an extension that is not closed', '2;a="b\r\nok\r\n0\r\n\r\n'],
    ['a trailer without a colon', '2\r\nok\r\n0\r\nx\r\n\r\n'],
    ['a trailer that is a length', '2\r\nok\r\n0\r\ncontent-length: 2\r\n\r\n'],
    ['a trailer that is a coding', '2\r\nok\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('refuse %s', (_what, framed) => {
    expect(errorOf(read([CHUNKED + framed]))).toBe(MALFORMED);
    const bytes = Array.from(CHUNKED + framed);
    expect(errorOf(read(bytes))).toBe(MALFORMED);
  });

  it('that are cut are an error, wherever', () => {
    const framed = '2;a\r\nok\r\n0\r\nx: 1\r\n\r\n';
    for (let cut = 0; cut < framed.length; cut++)
      expect(errorOf(read([CHUNKED + framed.slice(0, cut)], { ends: true }))).toBe('HTTP_CONNECTION_CLOSED');
    expect(errorOf(read([CHUNKED + framed], { ends: true }))).toBeNull();
  });

  it.each(['gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'identity', 'xchunked', 'chunked;q=1', ''])(
    'are not what %j says',
    (coding) => {
      expect(errorOf(read([answer(`transfer-encoding: ${coding}\r\n`, '0\r\n\r\n')]))).toBe(MALFORMED);
    },
  );

  it('are not announced twice, and never beside a length', () => {
    for (const head of [
      'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n',
      'transfer-encoding: chunked\r\ncontent-length: 5\r\n',
      'content-length: 5\r\ntransfer-encoding: chunked\r\n',
      'content-length: 0\r\nTransfer-Encoding: chunked\r\n',
    ])
      expect(read([answer(head, '0\r\n\r\n')])).toEqual([{ error: MALFORMED }]);
  });

  it('have bounded extensions and trailers', () => {
    const extended = `1;${'a'.repeat(4000)}\r\nx\r\n`;
    expect(errorOf(read([CHUNKED + extended.repeat(4)]))).toBeNull();
    expect(errorOf(read([CHUNKED + extended.repeat(5)]))).toBe(MALFORMED);
    const trailers = `0\r\n${'x: 1\r\n'.repeat(12_000)}\r\n`;
    expect(errorOf(read([CHUNKED + trailers]))).toBe('HTTP_HEAD_TOO_LARGE');
  });
});

describe('bodies until the end of the connection', () => {
  it('have all that comes, and leave no connection', () => {
    expect(read([answer('x: 1\r\n', 'so'), ' far'], { ends: true }).slice(1)).toEqual([
      { body: 'so far' },
      { end: false },
    ]);
    expect(read([answer('')], { ends: true }).slice(1)).toEqual([{ end: false }]);
  });
});

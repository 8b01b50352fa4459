import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseForwarded, parseXForwarded } from './forwarded.ts';

const nothing = { address: null, proto: null, host: null };
const x = (change: Partial<Parameters<typeof parseXForwarded>[0]>) =>
  parseXForwarded({ for: undefined, proto: undefined, host: undefined, ...change });

describe('Forwarded (RFC 7239)', () => {
  it.each([
    ['for=192.0.2.1', '192.0.2.1'],
    ['For="192.0.2.1:4711"', '192.0.2.1'],
    ['for="[2001:db8::1]"', '2001:db8::1'],
    ['for="[2001:db8::1]:4711"', '2001:db8::1'],
    ['for="[::ffff:192.0.2.1]"', '192.0.2.1'],
    ['for="192.0.2.1:_port"', '192.0.2.1'],
    ['for=unknown', null],
    ['for=_hidden', null],
    ['for="192.0.2.1:123456"', null],
    ['for="192.0.2.256"', null],
    ['for="fe80::1%eth0"', null],
    ['by=192.0.2.1', null],
  ])('%s speaks for %s', (header, address) => {
    expect(parseForwarded(header)).toEqual([{ ...nothing, address }]);
  });

  it('is a list of proxies, each with what it says', () => {
    expect(
      parseForwarded('for=192.0.2.1;proto=https;host="gate.example:8443", for=10.0.0.1 ;PROTO=HTTP'),
    ).toEqual([
      { address: '192.0.2.1', proto: 'https', host: 'gate.example:8443' },
      { address: '10.0.0.1', proto: 'http', host: null },
    ]);
    expect(parseForwarded('host="a\\"b"')).toEqual([{ ...nothing, host: 'a"b' }]);
    expect(parseForwarded('')).toEqual([]);
  });

  it.each([
    'for',
    'for=',
    'for=a b',
    'for="open',
    'for=1.1.1.1,,',
    '=x',
    'for=1.1.1.1 proto=https',
    'for=1.1.1.1;;x=y',
    'for=ü',
  ])('with a mistake in it counts for nothing, not for its good part: %j', (mistaken) => {
    expect(parseForwarded(mistaken)).toEqual([]);
    expect(parseForwarded(`for=192.0.2.1, ${mistaken}`)).toEqual([]);
  });

  it('is read up to 32 proxies, and is nothing when it names more', () => {
    const of = (count: number): string => new Array(count).fill('for=192.0.2.1').join(', ');
    expect([parseForwarded(of(32)).length, parseForwarded(of(33)).length]).toEqual([32, 0]);
  });

  it('is read in bounded time, whatever it is', () => {
    const startedMs = performance.now();
    for (const piece of ['for="', ' ', '\t', 'a', ';', '\\"', 'for=a;', ' \t '])
      parseForwarded(piece.repeat(8_000));
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    fc.assert(fc.property(fc.string(), (text) => void parseForwarded(text)));
  });
});

describe('X-Forwarded-For, -Proto and -Host', () => {
  it('are one form: addresses from the list, the rest as the nearest proxy says', () => {
    expect(
      x({ for: '192.0.2.1, 10.0.0.1:99,[2001:db8::1]:7', proto: 'http, https', host: 'evil, gate' }),
    ).toEqual([
      { address: '192.0.2.1', proto: 'https', host: 'gate' },
      { address: '10.0.0.1', proto: 'https', host: 'gate' },
      { address: '2001:db8::1', proto: 'https', host: 'gate' },
    ]);
  });

  it('say what they say alone as well', () => {
    expect(x({ proto: 'HTTPS' })).toEqual([{ ...nothing, proto: 'https' }]);
    expect(x({ host: 'gate' })).toEqual([{ ...nothing, host: 'gate' }]);
    expect([x({}), x({ proto: 'ftp' }), x({ proto: 'https, gopher' })]).toEqual([[], [], []]);
  });

  it('name no address where there is none', () => {
    for (const text of ['', 'unknown', '192.0.2', '1.2.3.4.5', 'fe80::1%1', "' or 1=1", '<b>'])
      expect(x({ for: text })).toEqual([nothing]);
  });

  it('of more than 32 the nearest are read', () => {
    const list = Array.from({ length: 40 }, (_, i) => `192.0.2.${i}`);
    const hops = x({ for: list.join(',') });
    expect([hops.length, hops[0]?.address, hops.at(-1)?.address]).toEqual([32, '192.0.2.8', '192.0.2.39']);
  });
});

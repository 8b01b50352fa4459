import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { list, optional } from './option.ts';
import {
  durationMs,
  environmentName,
  httpUrl,
  instant,
  integer,
  moment,
  oneOf,
  resolveMoment,
} from './parsers.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');

describe('durationMs', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
  ])('reads %s', (text, expected) => expect(durationMs(text, '--x')).toBe(expected));

  it.each(['', '0d', '5', '5x', '-5d', '1.5h', '24H', ' 24h', '99999d', '1d1h'])('refuses %j', (text) => {
    expect(() => durationMs(text, '--range')).toThrow(/^--range takes a length of time/);
  });
});

describe('instant', () => {
  it.each([
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T12:30', '2026-11-01T12:30:00.000Z'],
    ['2026-11-01T12:30:15.25Z', '2026-11-01T12:30:15.250Z'],
    ['2026-11-01T12:00:00+02:00', '2026-11-01T10:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('reads %s as UTC unless it says otherwise', (text, expected) => {
    expect(instant(text, '--at').toISOString()).toBe(expected);
  });

  it.each([
    '',
    '2026',
    '2026-02-30',
    '2026-13-01',
    '2026-11-01T25:00',
    'yesterday',
    '1700000000',
    '2026-11-01 12:00',
  ])('refuses %j', (text) => expect(() => instant(text, '--at')).toThrow(/^--at takes an ISO 8601/));

  it('reads back every instant a program writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
        (date) => instant(date.toISOString(), '--at').getTime() === date.getTime(),
      ),
    );
  });
});

describe('moment', () => {
  it('counts back from now', () => {
    expect(resolveMoment(moment('24h', '--since'), NOW).toISOString()).toBe('2026-11-21T12:00:00.000Z');
  });
  it('takes an instant as it is', () => {
    expect(resolveMoment(moment('2026-11-01', '--since'), NOW).toISOString()).toBe(
      '2026-11-01T00:00:00.000Z',
    );
  });
});

describe('environmentName', () => {
  it('never echoes what looks like a credential', () => {
    expect(() => environmentName('sk-ant-secret', '--api-key-env')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret'), exitCode: 2 }),
    );
  });
  it('takes a name', () => expect(environmentName('MY_KEY2', '--api-key-env')).toBe('MY_KEY2'));
});

describe('httpUrl', () => {
  it.each(['ftp://x', 'localhost:4100', '/x', '', 'https://user:secret@host/'])('refuses %j', (text) => {
    expect(() => httpUrl(text, '--server')).toThrow(/^--server /);
  });
  it('takes http and https', () => {
    expect(httpUrl('https://gate.example.com/x', '--server')).toBe('https://gate.example.com/x');
  });
});

describe('integer and oneOf', () => {
  it.each(['0', '501', '1e2', '1.5', '', ' 5', '0x10', '999999999999999999'])(
    'refuses %j outside 1 to 500',
    (text) => {
      expect(() => integer(1, 500)(text, '--limit')).toThrow('--limit takes a whole number from 1 to 500.');
    },
  );
  it('takes both bounds', () => {
    expect([integer(1, 500)('1', '--limit'), integer(1, 500)('500', '--limit')]).toEqual([1, 500]);
  });
  it.each([
    ['modle', 'model'],
    ['mod', 'model'],
  ])('names what %s was probably meant to be', (typed, meant) => {
    expect(() => oneOf(['model', 'project'])(typed, '--group')).toThrow(
      expect.objectContaining({ fix: `Did you mean ${meant}?` }),
    );
  });
});

describe('list', () => {
  it('joins repeated options and commas, and drops blanks', () => {
    expect(list('A', 'a').read(['a,b', ' c ', ',,'], '--x')).toEqual(['a', 'b', 'c']);
  });
  it('is empty when left out', () => expect(list('A', 'a').read(undefined, '--x')).toEqual([]));
  it('checks every item', () => {
    expect(() => list('A', 'a', oneOf(['a', 'b'])).read(['a,z'], '--x')).toThrow('--x takes one of: a, b.');
  });
});

describe('optional', () => {
  it('refuses an empty value, which is a variable that was not set', () => {
    expect(() => optional('NAME', 'a').read('', '--name')).toThrow('--name is empty.');
  });
});

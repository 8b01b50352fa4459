import { formatBytes } from '@tallygate/contract/bytes';
import { formatNanoUsd } from '@tallygate/contract/money';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCount, formatInstant, formatMs, formatShare, formatUsd } from './numbers.ts';
import { printable, styleFor } from './style.ts';
import { displayWidth, renderPairs, renderTable } from './table.ts';

const ROWS = [
  { name: 'a', count: '1,200' },
  { name: 'long name', count: '7' },
];
const COLUMNS = [
  { header: 'NAME', value: (row: (typeof ROWS)[number]) => row.name },
  { header: 'COUNT (TOKENS)', align: 'right' as const, value: (row: (typeof ROWS)[number]) => row.count },
];

describe('renderTable', () => {
  it('aligns on a terminal, numbers to the right, no blanks at the end of a line', () => {
    expect(renderTable(ROWS, COLUMNS, true)).toBe(
      'NAME       COUNT (TOKENS)\na                   1,200\nlong name               7\n',
    );
  });

  it('separates by tabs anywhere else', () => {
    expect(renderTable(ROWS, COLUMNS, false)).toBe('NAME\tCOUNT (TOKENS)\na\t1,200\nlong name\t7\n');
  });

  it('keeps columns aligned whatever the script', () => {
    const columns = [
      { header: 'N', value: (x: string) => x },
      { header: 'X', value: () => 'x' },
    ];
    const lines = renderTable(['日本', 'é', 'e\u0301', '👍'], columns, true).trimEnd().split('\n');
    expect(new Set(lines.map((line) => displayWidth(line)))).toEqual(new Set([7]));
  });

  it('never lets a cell move the cursor or add a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, aligned) => {
        const table = renderTable([text], [{ header: 'H', value: (x: string) => x }], aligned);
        expect(table.split('\n')).toHaveLength(3);
        expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
      }),
    );
  });

  it('colours a cell after it is padded', () => {
    const columns = [
      { header: 'A', value: (x: string) => x, style: (text: string) => `<${text}>` },
      { header: 'B', value: () => 'b' },
    ];
    expect(renderTable(['xx', 'y'], columns, true)).toBe('A   B\n<xx>  b\n<y >  b\n');
  });
});

describe('renderPairs', () => {
  it('aligns the values', () => {
    const pairs = [['Key', 'tg_x'] as const, ['Project', 'web'] as const];
    expect(renderPairs(pairs, true)).toBe('Key      tg_x\nProject  web\n');
    expect(renderPairs(pairs, false)).toBe('Key\ttg_x\nProject\tweb\n');
  });
});

describe('formatUsd', () => {
  it.each([
    ['0', '0.000000'],
    ['1.5', '1.500000'],
    ['1284.5', '1,284.500000'],
    ['0.000000001', '<0.000001'],
    ['-0.000000001', '-<0.000001'],
    ['0.0000015', '0.000002'],
    ['0.0000025', '0.000002'],
    ['0.9999999', '1.000000'],
    ['-12.25', '-12.250000'],
    [null, '–'],
  ])('%s → %s', (amount, shown) => expect(formatUsd(amount)).toBe(shown));

  it('is never off by more than half a millionth of a dollar', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1000n, max: 10n ** 18n }), (nano) => {
        const shown = BigInt(formatUsd(formatNanoUsd(nano)).replace(/[,.]/g, '')) * 1000n;
        const off = shown > nano ? shown - nano : nano - shown;
        expect(off <= 500n).toBe(true);
      }),
    );
  });
});

describe('other numbers', () => {
  it('shows the unknown as such, never as zero', () => {
    expect([formatCount(null), formatMs(null), formatShare(null), formatInstant(null)]).toEqual([
      '–',
      '–',
      '–',
      '–',
    ]);
  });
  it('groups digits', () =>
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']));
  it('carries units', () => {
    expect([formatMs(812.4), formatMs(12_400), formatShare(0.5), formatBytes(1536), formatBytes(5)]).toEqual([
      '812 ms',
      '12.4 s',
      '50.0 %',
      '1.5 KiB',
      '5 B',
    ]);
  });
  it('shows instants in UTC', () =>
    expect(formatInstant('2026-11-01T12:00:00.123Z')).toBe('2026-11-01 12:00:00Z'));
});

describe('styleFor', () => {
  const red = (options: Parameters<typeof recordingTerminal>[0], wanted = true) =>
    styleFor(recordingTerminal(options), 'out', wanted).red('x');
  it('colours only on a terminal', () => {
    expect(red({ outIsTerminal: true })).toBe('\u001b[31mx\u001b[39m');
    expect(red({ outIsTerminal: false })).toBe('x');
  });
  it.each<Record<string, string>>([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('heeds %o', (env) =>
    expect(red({ outIsTerminal: true, env })).toBe('x'),
  );
  it('an empty NO_COLOR says nothing', () =>
    expect(red({ outIsTerminal: true, env: { NO_COLOR: '' } })).not.toBe('x'));
  it('heeds --no-color', () => expect(red({ outIsTerminal: true }, false)).toBe('x'));
});

describe('printable', () => {
  it('disarms escapes and overrides, keeps every script', () => {
    expect(printable('\u001b]0;title\u0007 añ日\u202e')).toBe('\ufffd]0;title\ufffd añ日\ufffd');
  });
});

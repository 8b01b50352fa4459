import { printable } from './style.ts';

export interface Column<Row> {
  /** Carries the unit where there is one: `COST (USD)`. */
  header: string;
  align?: 'left' | 'right';
  value(row: Row): string;
  /** Colours the padded cell; the identity off a terminal. */
  style?(text: string, row: Row): string;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

/** Columns a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.normalize('NFC')) {
    if (!/\p{M}/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? fill + text : text + fill;
}

/**
 * Rows as aligned columns on a terminal, as tab-separated lines (header first) anywhere else.
 * Cells are made printable; a line never ends in blanks.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  aligned: boolean,
): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const headers = columns.map((column) => column.header);
  if (!aligned) return [headers, ...cells].map((line) => `${line.join('\t')}\n`).join('');
  const widths = columns.map((_, i) =>
    Math.max(...[headers, ...cells].map((line) => displayWidth(line[i] ?? ''))),
  );
  const lines = [headers, ...cells].map((line, index) => {
    const row = index === 0 ? undefined : rows[index - 1];
    const padded = columns.map((column, i) => {
      const text = pad(line[i] ?? '', widths[i] ?? 0, column.align ?? 'left');
      return row !== undefined && column.style !== undefined ? column.style(text, row) : text;
    });
    return `${padded.join('  ').trimEnd()}\n`;
  });
  return lines.join('');
}

/** `Name: value` pairs, the values aligned on a terminal. */
export function renderPairs(pairs: readonly (readonly [string, string])[], aligned: boolean): string {
  const width = aligned ? Math.max(0, ...pairs.map(([name]) => displayWidth(name))) : 0;
  return pairs
    .map(([name, value]) => `${aligned ? `${pad(name, width, 'left')}  ` : `${name}\t`}${printable(value)}\n`)
    .join('');
}

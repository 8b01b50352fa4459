import { join } from 'node:path';

const NAME = /^journal-([0-9a-f]{16})\.seg$/;

/** Path of a segment: 16 hexadecimal digits, so that names sort as numbers do. */
export function segmentPath(dir: string, segment: number): string {
  return join(dir, `journal-${segment.toString(16).padStart(16, '0')}.seg`);
}

/** Segment numbers among file names, ascending. Other files are ignored. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const digits = NAME.exec(name)?.[1];
    if (digits !== undefined) numbers.push(Number.parseInt(digits, 16));
  }
  return numbers.sort((a, b) => a - b);
}

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** `1284500` → `1,284,500`. */
export function formatExactCount(value: number): string {
  return String(value).replace(GROUP, ',');
}

/** Counts as people read them: `982`, `12.4 k`, `1.28 M`, `3.05 B`. The space is a no-break one. */
export function formatCount(value: number): string {
  const steps: [number, string][] = [
    [1_000_000_000, 'B'],
    [1_000_000, 'M'],
    [10_000, 'k'],
  ];
  for (const [floor, unit] of steps) {
    const size = unit === 'k' ? 1000 : floor;
    // 999,999 rounds up to the next unit instead of reading "1000 k".
    if (value >= floor || (unit !== 'k' && value >= floor * 0.9995)) {
      return `${threeDigits(value / size)}\u00a0${unit}`;
    }
  }
  return formatExactCount(Math.round(value));
}

function threeDigits(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** A share as text: `88.2 %`, `0.4 %`, `100 %`. */
export function formatPercent(ratio: number): string {
  const percent = ratio * 100;
  if (percent === 0) return '0\u00a0%';
  if (percent >= 99.95) return '100\u00a0%';
  return `${percent < 0.1 ? '<\u00a00.1' : percent.toFixed(1)}\u00a0%`;
}

/** `1 request`, `2 requests`: a count with its noun. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatExactCount(count)} ${count === 1 ? one : many}`;
}

/** Bytes with a binary step of 1024: `812 B`, `14.2 KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}\u00a0B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)}\u00a0KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)}\u00a0MiB`;
}

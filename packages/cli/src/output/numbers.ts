import { NANO_PER_USD, parseUsd } from '@tallygate/contract/money';

/** Shown where the value is not known: never a zero. */
export const UNKNOWN = '–';

/** `1234567` → `1,234,567`. */
export function formatCount(value: number | null): string {
  return value === null ? UNKNOWN : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

const MICRO_NANO = 1000n;

/**
 * Dollars with six decimals, half-even, so that a column lines up: `"12.3456789"` → `12.345679`. What is
 * smaller than that but not nothing shows as `<0.000001`; the exact amount is in `--json`.
 */
export function formatUsd(amount: string | null): string {
  if (amount === null) return UNKNOWN;
  const nano = parseUsd(amount);
  const sign = nano < 0n ? '-' : '';
  const abs = nano < 0n ? -nano : nano;
  const rest = abs % MICRO_NANO;
  const down = abs / MICRO_NANO;
  const up = rest > 500n || (rest === 500n && down % 2n === 1n);
  const micro = up ? down + 1n : down;
  if (micro === 0n && abs > 0n) return `${sign}<0.000001`;
  const perDollar = NANO_PER_USD / MICRO_NANO;
  const whole = (micro / perDollar).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return `${sign}${whole}.${(micro % perDollar).toString().padStart(6, '0')}`;
}

/** `0.5` → `50.0 %`. */
export function formatShare(ratio: number | null): string {
  return ratio === null ? UNKNOWN : `${(ratio * 100).toFixed(1)} %`;
}

/** Milliseconds as `812 ms` or `12.4 s`. */
export function formatMs(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** An instant as `2026-11-01 12:00:00Z`, or the mark for unknown. */
export function formatInstant(iso: string | null): string {
  if (iso === null) return UNKNOWN;
  return `${iso.slice(0, 19).replace('T', ' ')}Z`;
}

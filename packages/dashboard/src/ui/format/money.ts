import { NANO_PER_USD, parseUsd } from '@tallygate/contract/money';

const GROUP = /\B(?=(\d{3})+(?!\d))/g;
const NANO_DIGITS = 9;

/** `value / 10^drop`, rounded half away from zero; both are integers. */
function roundDigits(value: bigint, drop: number): bigint {
  const unit = 10n ** BigInt(drop);
  return (value + unit / 2n) / unit;
}

/** Digits after the point that leave three significant ones below a dollar, and cents from a dollar on. */
function fractionDigits(nano: bigint): number {
  if (nano >= NANO_PER_USD || nano === 0n) return 2;
  const leadingZeros = NANO_DIGITS - nano.toString().length;
  return Math.min(NANO_DIGITS, leadingZeros + 3);
}

function withPoint(scaled: bigint, digits: number): string {
  const text = scaled.toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits).replace(GROUP, ',');
  const fraction = text.slice(text.length - digits);
  const trimmed = digits > 2 ? fraction.slice(0, 2) + fraction.slice(2).replace(/0+$/, '') : fraction;
  return digits === 0 ? whole : `${whole}.${trimmed}`;
}

/**
 * Money as people read it: cents from a dollar on, three significant digits below. Works on the exact decimal
 * text with integers only; use {@link formatUsdExact} where the value itself matters.
 * @param usd decimal string of US dollars with at most nine fraction digits
 */
export function formatUsd(usd: string): string {
  const nano = parseUsd(usd);
  const abs = nano < 0n ? -nano : nano;
  const digits = fractionDigits(abs);
  return `${nano < 0n ? '−' : ''}$${withPoint(roundDigits(abs, NANO_DIGITS - digits), digits)}`;
}

/** The exact amount, grouped, nothing rounded: for hover and copy. */
export function formatUsdExact(usd: string): string {
  const nano = parseUsd(usd);
  const abs = nano < 0n ? -nano : nano;
  return `${nano < 0n ? '−' : ''}$${withPoint(abs, NANO_DIGITS)}`;
}

/** Short money for axis labels: `$1.2k`, `$40`, `$0.05`. Axis positions are pixels, so a float is fine here. */
export function formatUsdAxis(usd: number): string {
  if (usd === 0) return '$0';
  if (usd >= 1_000_000) return `$${trim(usd / 1_000_000)}M`;
  if (usd >= 1000) return `$${trim(usd / 1000)}k`;
  if (usd >= 1) return `$${trim(usd)}`;
  return usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2))}`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)));
}

/** Price per million tokens from a rate in pico-USD per token: `3000000` → `$3.00`. */
export function formatRatePerMillion(ratePicoUsd: string): string {
  return formatUsd(picoToUsd(BigInt(ratePicoUsd) * 1_000_000n));
}

/** Price of one unit (a web search, say) from pico-USD. */
export function formatRatePerUnit(ratePicoUsd: string): string {
  return formatUsd(picoToUsd(BigInt(ratePicoUsd)));
}

function picoToUsd(pico: bigint): string {
  const nano = pico / 1000n;
  return `${nano / NANO_PER_USD}.${(nano % NANO_PER_USD).toString().padStart(NANO_DIGITS, '0')}`;
}

/** Dollars as a float, for the height of a bar and nothing else. */
export function usdToPixelsValue(usd: string): number {
  return Number(usd);
}

/**
 * Money is integers (architecture principle 5): rates in pico-USD per unit (10⁻¹²), amounts in
 * nano-USD (10⁻⁹). On the wire an amount is a decimal string of US dollars, never a float.
 */

/** One US dollar in nano-USD. */
export const NANO_PER_USD = 1_000_000_000n;

/** Formats nano-USD as an exact decimal string of dollars without trailing zeros: `1500000000n` → `"1.5"`. */
export function formatNanoUsd(nano: bigint): string {
  const sign = nano < 0n ? '-' : '';
  const abs = nano < 0n ? -nano : nano;
  const whole = abs / NANO_PER_USD;
  const fraction = (abs % NANO_PER_USD).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/**
 * Parses a decimal string of dollars with at most nine fraction digits into nano-USD.
 * @throws RangeError when the text is not such a number.
 */
export function parseUsd(text: string): bigint {
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new RangeError(`not a dollar amount with at most nine decimals: ${JSON.stringify(text)}`);
  const [, sign, whole, fraction = ''] = match;
  const nano = BigInt(whole ?? '0') * NANO_PER_USD + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -nano : nano;
}

/** Pico-USD in one nano-USD. */
const PICO_PER_NANO = 1000;

/**
 * Rounds an amount of pico-USD to nano-USD, half to even: over many rows the rounding errors cancel instead of
 * adding up. This is the only rounding an amount ever goes through.
 */
export function nanoFromPico(pico: bigint): bigint {
  if (pico >= 0n && pico <= BigInt(Number.MAX_SAFE_INTEGER)) return nanoFromSafePico(Number(pico));
  const quotient = pico / 1000n;
  const rest = pico % 1000n;
  const twice = rest < 0n ? -rest * 2n : rest * 2n;
  if (twice < 1000n || (twice === 1000n && quotient % 2n === 0n)) return quotient;
  return rest < 0n ? quotient - 1n : quotient + 1n;
}

/** The same for a non-negative safe integer, without BigInt division. */
export function nanoFromSafePico(pico: number): bigint {
  const rest = pico % PICO_PER_NANO;
  const quotient = (pico - rest) / PICO_PER_NANO;
  const up = rest > 500 || (rest === 500 && quotient % 2 === 1);
  return BigInt(up ? quotient + 1 : quotient);
}

/** `value × num / den` as an integer, half to even; exact in every case where it divides. */
export function scaleHalfEven(value: number, num: number, den: number): number {
  const scaled = value * num;
  const rest = scaled % den;
  const quotient = (scaled - rest) / den;
  const up = rest * 2 > den || (rest * 2 === den && quotient % 2 === 1);
  return up ? quotient + 1 : quotient;
}

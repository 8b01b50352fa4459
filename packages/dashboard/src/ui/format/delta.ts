import { formatPercent } from './count.ts';

export interface Delta {
  text: string;
  direction: 'up' | 'down' | 'flat';
}

/**
 * How a figure moved against the span before. Null when there is nothing to compare with: a rise from nothing has
 * no percentage.
 */
export function relativeDelta(current: number, previous: number): Delta | null {
  if (previous === 0) return current === 0 ? { text: 'no change', direction: 'flat' } : null;
  const ratio = (current - previous) / previous;
  if (Math.abs(ratio) < 0.0005) return { text: 'no change', direction: 'flat' };
  const direction = ratio > 0 ? 'up' : 'down';
  const sign = ratio > 0 ? '+' : '−';
  if (Math.abs(ratio) >= 10) return { text: `${sign}${Math.round(Math.abs(ratio))}×`, direction };
  return { text: `${sign}${formatPercent(Math.abs(ratio))}`, direction };
}

/** The difference of two shares in percentage points: `+2.1 pts`. */
export function pointsDelta(current: number, previous: number): Delta {
  const points = (current - previous) * 100;
  if (Math.abs(points) < 0.05) return { text: 'no change', direction: 'flat' };
  return {
    text: `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(1)}\u00a0pts`,
    direction: points > 0 ? 'up' : 'down',
  };
}

import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

export type IdSource = () => string;

const POOL_BYTES = 4096;
const BYTES_PER_ID = 8;
/** First hex digit of the variant field (RFC 9562 §4.1). */
const VARIANTS = ['8', '9', 'a', 'b'] as const;

/** The first two groups of an id. */
function timeText(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/**
 * Makes UUIDv7 ids (RFC 9562 §5.7) that sort by creation within this process: within one millisecond the
 * 12-bit `rand_a` field counts up, and when it is exhausted the timestamp runs ahead by one.
 */
export function createIdSource(clock: Clock, fill: (target: Uint8Array) => void = randomFillSync): IdSource {
  const pool = Buffer.alloc(POOL_BYTES);
  let hex = '';
  let position = POOL_BYTES;
  let lastMs = 0;
  let time = '';
  let counter = 0;
  return () => {
    if (position + BYTES_PER_ID > POOL_BYTES) {
      fill(pool);
      hex = pool.toString('hex');
      position = 0;
    }
    const nowMs = clock.now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      time = timeText(nowMs);
      counter = (pool[position] ?? 0) & 0x7f; // starts low, so that a burst in one millisecond has room
    } else if (++counter > 0xfff) {
      lastMs += 1;
      time = timeText(lastMs);
      counter = 0;
    }
    const random = hex.slice(2 * position, 2 * (position + BYTES_PER_ID));
    const variant = VARIANTS[((pool[position] ?? 0) >> 4) & 3] ?? '8';
    position += BYTES_PER_ID;
    const count = counter.toString(16).padStart(3, '0');
    return `${time}-7${count}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
  };
}

/** The epoch milliseconds that a UUIDv7 carries. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

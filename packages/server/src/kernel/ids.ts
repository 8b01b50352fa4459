import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

export type IdSource = () => string;

const POOL_BYTES = 4096;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (byte: number | undefined): string => HEX[byte ?? 0] ?? '00';

/**
 * Makes UUIDv7 ids (RFC 9562 §5.7) that sort by creation within this process: within one millisecond the
 * 12-bit `rand_a` field counts up, and when it is exhausted the timestamp runs ahead by one.
 */
export function createIdSource(clock: Clock, fill: (target: Uint8Array) => void = randomFillSync): IdSource {
  const pool = new Uint8Array(POOL_BYTES);
  let position = POOL_BYTES;
  let lastMs = 0;
  let counter = 0;
  return () => {
    if (position + 8 > POOL_BYTES) {
      fill(pool);
      position = 0;
    }
    const nowMs = clock.now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = (pool[position] ?? 0) & 0x7f; // starts low, so that a burst in one millisecond has room
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const variant = hex(((pool[position] ?? 0) & 0x3f) | 0x80);
    let tail = '';
    for (let i = 2; i < 8; i++) tail += hex(pool[position + i]);
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${hex(pool[position + 1])}-${tail}`;
    position += 8;
    return id;
  };
}

/** The epoch milliseconds that a UUIDv7 carries. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

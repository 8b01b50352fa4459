import { describe, expect, it } from 'vitest';
import { createIdSource, idTimeMs } from './ids.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('ids', () => {
  it('are UUIDv7 that carry the time and sort by creation, also within one millisecond', () => {
    let nowMs = 1_790_000_000_000;
    const newId = createIdSource({ now: () => nowMs, monotonicMs: () => 0 });
    const ids = Array.from({ length: 20_000 }, (_, i) => {
      if (i % 9_000 === 8_999) nowMs += 1;
      return newId();
    });
    expect(ids.every((id) => UUID_V7.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(idTimeMs(ids[0] ?? '')).toBe(1_790_000_000_000);
  });

  it('never run backwards when the clock does', () => {
    let nowMs = 2_000_000_000_000;
    const newId = createIdSource({ now: () => nowMs, monotonicMs: () => 0 });
    const before = newId();
    nowMs -= 60_000;
    expect(newId() > before).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { CacheMemory } from './cache-memory.ts';

const SESSION = { affinity: 's', model: 'm' };
const use = (cachedTokens: number, freshTokens: number, longLived = false) => ({
  cachedTokens,
  freshTokens,
  longLived,
});
const MINUTE = 60_000;

describe('what moving a session costs in cache (CF-05)', () => {
  it('is the smaller of what was cached there and what came fresh here', () => {
    const memory = new CacheMemory();
    expect(memory.answered(SESSION, 1, use(1_000, 20), 0)).toBe(0);
    expect(memory.answered(SESSION, 1, use(1_100, 30), MINUTE)).toBe(0);
    expect(memory.answered(SESSION, 2, use(1_200, 1_150), 2 * MINUTE)).toBe(1_100);
    expect(memory.answered(SESSION, 1, use(1_300, 5), 3 * MINUTE)).toBe(5);
  });

  it('is nothing once the cache would have gone cold anyway', () => {
    const memory = new CacheMemory();
    memory.answered(SESSION, 1, use(1_000, 0), 0);
    expect(memory.answered(SESSION, 2, use(1_000, 1_000), 6 * MINUTE)).toBe(0);
    memory.answered(SESSION, 2, use(1_000, 0, true), 7 * MINUTE);
    expect(memory.answered(SESSION, 1, use(1_000, 1_000), 60 * MINUTE)).toBe(1_000);
  });

  it('another model has another cache, and a session without one loses none', () => {
    const memory = new CacheMemory();
    memory.answered(SESSION, 1, use(1_000, 0), 0);
    expect(memory.answered({ ...SESSION, model: 'other' }, 2, use(500, 500), 1)).toBe(0);
    expect(memory.answered({ affinity: 't', model: 'm' }, 1, use(0, 500), 2)).toBe(0);
    expect(memory.answered({ affinity: 't', model: 'm' }, 2, use(0, 500), 3)).toBe(0);
  });
});

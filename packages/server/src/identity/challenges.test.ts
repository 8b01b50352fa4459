import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createChallenges } from './challenges.ts';

describe('challenges (CF-13)', () => {
  const clock = { ms: 0, now: () => clock.ms, monotonicMs: () => clock.ms };
  const challenges = () => createChallenges({ clock, randomBytes });

  it('are good once, for their purpose, for five minutes', () => {
    const made = challenges();
    const one = made.issue('a');
    expect(made.take(one, 'b')).toBe(false);
    expect([made.take(one, 'a'), made.take(one, 'a')]).toEqual([true, false]);
    const late = made.issue('a');
    clock.ms += 5 * 60_000;
    expect(made.take(late, 'a')).toBe(false);
  });

  it('stay bounded: of more than ten thousand the oldest go', () => {
    const made = challenges();
    const first = made.issue('a');
    const second = made.issue('a');
    for (let i = 0; i < 9_999; i++) made.issue('a');
    expect(made.take(first, 'a')).toBe(false);
    expect(made.take(second, 'a')).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoginThrottle, type LoginThrottle } from './login-throttle.ts';

const HOUR_MS = 3_600_000;

interface Guesser {
  /** Tries a password or code; true when it was looked at. */
  guess(throttle: LoginThrottle): boolean;
}

/** How many guesses are looked at in a time, by somebody who tries again the moment they may. */
function guessesIn(ms: number, guesser: Guesser, everyMs: number): number {
  const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
  const throttle = createLoginThrottle(clock);
  let looked = 0;
  for (const end = clock.ms + ms; clock.ms < end; clock.ms += everyMs)
    if (guesser.guess(throttle)) looked += 1;
  return looked;
}
const passed = (act: () => void): boolean => {
  try {
    act();
    return true;
  } catch {
    return false;
  }
};

describe('what guessing comes to, whatever the strategy (CF-14)', () => {
  it('one address at one name: about one a minute', () => {
    for (const everyMs of [250, 1_000, 7_000]) {
      const guesser = { guess: (it: LoginThrottle) => passed(() => it.admit('owner', '192.0.2.1')) };
      expect(guessesIn(HOUR_MS, guesser, everyMs)).toBeLessThanOrEqual(75);
    }
  });

  it('one address that changes names, and one that changes addresses inside its network: no more than that', () => {
    let n = 0;
    const names = { guess: (it: LoginThrottle) => passed(() => it.admit(`user${n++ % 500}`, '192.0.2.1')) };
    expect(guessesIn(HOUR_MS, names, 500)).toBeLessThanOrEqual(100);
    const inside = {
      guess: (it: LoginThrottle) =>
        passed(() => it.admit('owner', `2001:db8:1:2::${(n++ % 60_000).toString(16)}`)),
    };
    expect(guessesIn(HOUR_MS, inside, 500)).toBeLessThanOrEqual(75);
  });

  it('waiting until it is forgotten gains nothing: five in a quarter of an hour', () => {
    let used = 0;
    let sinceMs = 0;
    const patient = {
      guess: (it: LoginThrottle) => {
        sinceMs += 10_000;
        if (used === 5 && sinceMs < 15 * 60_000) return false;
        if (used === 5) used = 0;
        const looked = passed(() => it.admit('owner', '192.0.2.1'));
        if (looked) {
          used += 1;
          sinceMs = 0;
        }
        return looked;
      },
    };
    expect(guessesIn(HOUR_MS, patient, 10_000)).toBeLessThanOrEqual(25);
  });

  it('an account of one’s own in between: a success does not make guesses at others cheaper', () => {
    let n = 0;
    const mixed = {
      guess(it: LoginThrottle) {
        n += 1;
        if (n % 2 === 0) {
          if (passed(() => it.admit('my own', '192.0.2.1'))) it.succeeded('my own', '192.0.2.1');
          return false;
        }
        return passed(() => it.admit('owner', '192.0.2.1'));
      },
    };
    expect(guessesIn(HOUR_MS, mixed, 500)).toBeLessThanOrEqual(75);
  });

  it('six digits from a thousand addresses: about one a minute, with a flood of names beside it', () => {
    let n = 0;
    const codes = {
      guess(it: LoginThrottle) {
        for (let i = 0; i < 20; i++)
          passed(() => it.admit(`name${n}.${i}`, `2001:db8:${(n % 4_000).toString(16)}::1`));
        return passed(() => it.admitCode('u1', `198.51.${n++ % 4}.${n % 250}`, 'app'));
      },
    };
    expect(guessesIn(HOUR_MS, codes, 2_000)).toBeLessThanOrEqual(85);
  });

  it('nobody is kept out for longer than a minute by what others do', () => {
    const attempt = fc.record({
      name: fc.constantFrom('owner', 'other', 'third'),
      address: fc.constantFrom('192.0.2.1', '192.0.2.2', null),
      code: fc.boolean(),
      waitMs: fc.constantFrom(0, 500, 30_000, 900_000),
    });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 80 }), (attempts) => {
        const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
        const throttle = createLoginThrottle(clock);
        for (const { name, address, code, waitMs } of attempts) {
          clock.ms += waitMs;
          passed(() => (code ? throttle.admitCode(name, address, 'app') : throttle.admit(name, address)));
        }
        clock.ms += 60_000;
        expect(passed(() => throttle.admit('owner', '192.0.2.1'))).toBe(true);
        expect(passed(() => throttle.admitCode('owner', '192.0.2.2', 'app'))).toBe(true);
      }),
    );
  });

  it('somebody elsewhere signs in as if nobody guessed, for the first five tries', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (guesses) => {
        const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
        const throttle = createLoginThrottle(clock);
        for (let i = 0; i < guesses; i++) passed(() => throttle.admit('owner', '203.0.113.9'));
        for (let i = 0; i < 5; i++) expect(passed(() => throttle.admit('owner', '192.0.2.1'))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

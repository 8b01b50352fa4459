import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppError } from '../kernel/errors.ts';
import { addressBucket, createLoginThrottle } from './login-throttle.ts';

function fakeClock() {
  const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
  return clock;
}

function waitSeconds(attempt: () => void): number {
  try {
    attempt();
    return 0;
  } catch (error) {
    expect((error as AppError).code).toBe('login_throttled');
    return (error as AppError).retryAfterSeconds ?? -1;
  }
}

describe('createLoginThrottle', () => {
  it('lets the first tries through, then makes the delay grow to a ceiling of a minute', () => {
    const clock = fakeClock();
    const throttle = createLoginThrottle(clock);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 16; attempt++) {
      throttle.admit('owner', '192.0.2.1');
      const wait = waitSeconds(() => throttle.admit('owner', '192.0.2.1'));
      if (wait > 0) waits.push(wait);
      else attempt += 1;
      clock.ms += wait * 1000;
    }
    expect(waits.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
    expect(Math.max(...waits)).toBe(60);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
  });

  it('counts a name once, in whatever case and form it is typed', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (const name of ['owner', 'OWNER', 'Owner', 'ｏwner', 'oWNER']) throttle.admit(name, '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(1);
    expect(waitSeconds(() => throttle.admit('other', '192.0.2.1'))).toBe(0);
    throttle.succeeded('OwNeR', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
  });

  it('keeps nobody out who comes from another address', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 50; i++) waitSeconds(() => throttle.admit('owner', '203.0.113.9'));
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
  });

  it('is never a lock-out: hammering does not push the next chance away', () => {
    const clock = fakeClock();
    const throttle = createLoginThrottle(clock);
    for (let i = 0; i < 20; i++) {
      clock.ms += 70_000;
      throttle.admit('owner', '192.0.2.1');
    }
    const wait = waitSeconds(() => throttle.admit('owner', '192.0.2.1'));
    for (let i = 0; i < 1000; i++) waitSeconds(() => throttle.admit('owner', '192.0.2.1'));
    clock.ms += wait * 1000;
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
  });

  it('forgets failures after a success and after a quarter of an hour', () => {
    const clock = fakeClock();
    const throttle = createLoginThrottle(clock);
    for (let i = 0; i < 5; i++) throttle.admit('owner', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(1);
    throttle.succeeded('owner', '192.0.2.1');
    for (let i = 0; i < 5; i++) expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
    clock.ms += 15 * 60_000;
    for (let i = 0; i < 5; i++) expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
  });

  it('slows one address down that tries many names', () => {
    const throttle = createLoginThrottle(fakeClock());
    const waits = Array.from({ length: 40 }, (_, i) =>
      waitSeconds(() => throttle.admit(`user${i}`, '192.0.2.1')),
    );
    expect(waits.slice(0, 30)).toEqual(new Array(30).fill(0));
    expect(Math.max(...waits)).toBeGreaterThan(0);
  });

  it('an account of one’s own does not buy an address more guesses at others', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 29; i++) throttle.admit(`user${i}`, '192.0.2.1');
    throttle.admit('my own', '192.0.2.1');
    throttle.succeeded('my own', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('user30', '192.0.2.1'))).toBe(0);
    expect(waitSeconds(() => throttle.admit('user31', '192.0.2.1'))).toBe(1);
  });

  it('a success lets the next one behind the same address in at once', () => {
    const clock = fakeClock();
    const throttle = createLoginThrottle(clock);
    for (let i = 0; i < 30; i++) throttle.admit(`user${i}`, '192.0.2.1');
    clock.ms += 1_000;
    throttle.admit('maria', '192.0.2.1');
    throttle.succeeded('maria', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('paul', '192.0.2.1'))).toBe(0);
  });

  it('remembers a guesser who takes their time: the quarter of an hour begins with the last try', () => {
    const clock = fakeClock();
    const throttle = createLoginThrottle(clock);
    for (let i = 0; i < 5; i++) {
      expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(0);
      clock.ms += 14 * 60_000;
    }
    throttle.admit('owner', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBe(2);
  });

  it('counts attempts in parallel before any of them has failed', () => {
    const throttle = createLoginThrottle(fakeClock());
    const results = Array.from({ length: 20 }, () => waitSeconds(() => throttle.admit('owner', '192.0.2.1')));
    expect(results.filter((wait) => wait === 0)).toHaveLength(5);
  });

  it('does not tell names apart by case', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 5; i++) throttle.admit(i % 2 === 0 ? 'Owner' : 'oWNER', '192.0.2.1');
    expect(waitSeconds(() => throttle.admit('owner', '192.0.2.1'))).toBeGreaterThan(0);
  });

  it('stays small under a flood of made-up names and addresses', () => {
    const throttle = createLoginThrottle(fakeClock());
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 60_000; i++) throttle.admit(`u${i}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024);
  });
});

describe('addressBucket', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [null, 'unknown'],
  ])('%s → %s', (address, bucket) => {
    expect(addressBucket(address)).toBe(bucket);
  });

  it('puts all addresses of one /64 into one bucket', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const groups = new URL(`http://[${address}]/`).hostname;
        expect(addressBucket(groups.slice(1, -1))).toMatch(
          /^([0-9a-f]{1,4}:){3}[0-9a-f]{1,4}::\/64$|^\d+\.\d+\.\d+\.\d+$/,
        );
      }),
    );
  });
});

describe('codes of a second factor (CF-13)', () => {
  it('count per account from all addresses, and recovery codes only per address', () => {
    const throttle = createLoginThrottle(fakeClock());
    const from = (i: number): string => `198.51.100.${i}`;
    const waits = Array.from({ length: 13 }, (_, i) =>
      waitSeconds(() => throttle.admitCode('u1', from(i), 'app')),
    );
    expect(waits.slice(0, 10)).toEqual(new Array(10).fill(0));
    expect(waits.slice(10).every((wait) => wait > 0)).toBe(true);
    expect(waitSeconds(() => throttle.admitCode('u1', from(99), 'recovery'))).toBe(0);
    expect(waitSeconds(() => throttle.admitCode('u2', from(98), 'app'))).toBe(0);
    throttle.codeSucceeded('u1', from(99));
    expect(waitSeconds(() => throttle.admitCode('u1', from(97), 'app'))).toBe(0);
  });

  it('stay slow under a flood of made-up names, which pushes out other entries but not theirs', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 10; i++) throttle.admitCode('u1', `198.51.100.${i}`, 'app');
    for (let i = 0; i < 25_000; i++)
      waitSeconds(() => throttle.admit(`name${i}`, `2001:db8:${i.toString(16)}::1`));
    expect(waitSeconds(() => throttle.admitCode('u1', '203.0.113.7', 'app'))).toBeGreaterThan(0);
  });

  it.each(['app', 'recovery'] as const)(
    'of kind %s are slowed for one address that tries many accounts',
    (kind) => {
      const throttle = createLoginThrottle(fakeClock());
      for (let i = 0; i < 30; i++) throttle.admitCode(`u${i}`, '198.51.100.1', kind);
      expect(waitSeconds(() => throttle.admitCode('u99', '198.51.100.1', kind))).toBe(1);
      expect(waitSeconds(() => throttle.admit('somebody', '198.51.100.1'))).toBe(1);
      expect(waitSeconds(() => throttle.admitCode('u99', '198.51.100.2', kind))).toBe(0);
    },
  );

  it('stay bounded themselves', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 10; i++) throttle.admitCode('first', `198.51.100.${i}`, 'app');
    for (let i = 0; i < 10_001; i++) throttle.admitCode(`u${i}`, `2001:db8:${i.toString(16)}::1`, 'app');
    expect(waitSeconds(() => throttle.admitCode('first', '203.0.113.7', 'app'))).toBe(0);
  });

  it('a name cannot be mistaken for the account of a code, nor a code for a name', () => {
    const throttle = createLoginThrottle(fakeClock());
    for (let i = 0; i < 10; i++) throttle.admitCode('u1', `198.51.100.${i}`, 'app');
    for (const name of ['u1', '["code","u1",""]', 'code']) throttle.succeeded(name, '203.0.113.1');
    expect(waitSeconds(() => throttle.admitCode('u1', '203.0.113.7', 'app'))).toBeGreaterThan(0);
    expect(waitSeconds(() => throttle.admit('u1', '203.0.113.8'))).toBe(0);
  });
});

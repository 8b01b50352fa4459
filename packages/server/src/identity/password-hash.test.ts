import { describe, expect, it } from 'vitest';
import { createPasswordHasher, NO_PASSWORD } from './password-hash.ts';

describe('createPasswordHasher', () => {
  const hasher = createPasswordHasher();

  it('hashes with Argon2id, 19 MiB, two passes, one lane, and a fresh salt', async () => {
    const [a, b] = await Promise.all([hasher.hash('a long password'), hasher.hash('a long password')]);
    expect(a).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(a).not.toBe(b);
    expect(await hasher.verify(a, 'a long password')).toBe(true);
    expect(await hasher.verify(a, 'a long passwore')).toBe(false);
  });

  it('is false for an unknown user, also for the password of the decoy, and for a broken hash', async () => {
    expect(await hasher.verify(null, 'nobody has this password')).toBe(false);
    expect(await hasher.verify('not a hash', 'x')).toBe(false);
  });

  it('does the same work for an unknown user as for a wrong password', async () => {
    const stored = await hasher.hash('a long password');
    await hasher.verify(null, 'x');
    async function medianMs(hash: string | null): Promise<number> {
      const times: number[] = [];
      for (let i = 0; i < 9; i++) {
        const start = performance.now();
        await hasher.verify(hash, 'a wrong password');
        times.push(performance.now() - start);
      }
      return times.sort((x, y) => x - y)[4] ?? 0;
    }
    const [known, unknown] = [await medianMs(stored), await medianMs(null)];
    // A missing hash would return in microseconds; the margin is for a busy machine.
    expect(unknown).toBeGreaterThan(known / 4);
    expect(await medianMs(NO_PASSWORD)).toBeGreaterThan(known / 4); // nor who signs in through a provider
  });

  it('refuses a flood rather than queueing it without bound', async () => {
    const own = createPasswordHasher();
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => own.hash('a long password')));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBe(60 - 34);
    expect(refused[0]).toMatchObject({ reason: { code: 'login_throttled', retryAfterSeconds: 1 } });
    expect(await own.verify(null, 'x')).toBe(false); // and works again
  });
});

import { describe, expect, it } from 'vitest';
import { createPasswordHasher } from './password-hash.ts';

describe('the queue in front of password hashing', () => {
  it('lets all in that fit, and each gets the answer to its own question', async () => {
    const hasher = createPasswordHasher();
    const stored = await hasher.hash('the right one');
    const asked = ['wrong', 'the right one', 'The right one', '', 'the right one'];
    expect(await Promise.all(asked.map((password) => hasher.verify(stored, password)))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('gives a place back after a failure: broken hashes block nobody', async () => {
    const hasher = createPasswordHasher();
    for (let round = 0; round < 3; round++) {
      const broken = Array.from({ length: 34 }, () => hasher.verify('$argon2id$broken', 'x'));
      expect(new Set(await Promise.all(broken))).toEqual(new Set([false]));
    }
    expect(await hasher.verify(await hasher.hash('x'), 'x')).toBe(true);
  });

  it('refuses the one beyond, and takes the next once there is room', async () => {
    const hasher = createPasswordHasher();
    const running = Array.from({ length: 34 }, () => hasher.verify('$argon2id$broken', 'x'));
    await expect(hasher.hash('one too many')).rejects.toMatchObject({ code: 'login_throttled' });
    await Promise.all(running);
    expect(await hasher.verify(null, 'x')).toBe(false);
  });

  it('is each hasher’s own', async () => {
    const [one, other] = [createPasswordHasher(), createPasswordHasher()];
    const running = Array.from({ length: 34 }, () => one.verify('$argon2id$broken', 'x'));
    expect(await other.verify('$argon2id$broken', 'x')).toBe(false);
    await Promise.all(running);
  });

  it('a hash says how it was made, so that stronger settings later do not lock anybody out', async () => {
    const hasher = createPasswordHasher();
    // Made with less memory and another salt length, by another program.
    const weaker = '$argon2id$v=19$m=8192,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$';
    expect(await hasher.verify(`${weaker}AAAA`, 'x')).toBe(false);
    const stored = await hasher.hash('pässwörd 🙂');
    expect(stored.split('$')).toHaveLength(6);
    expect(await hasher.verify(stored, 'pässwörd 🙂')).toBe(true);
    expect(await hasher.verify(stored, 'passwort')).toBe(false);
  });

  it('takes long passwords whole: none is cut at some number of bytes', async () => {
    const hasher = createPasswordHasher();
    const long = 'a'.repeat(1_000);
    const stored = await hasher.hash(`${long}x`);
    expect(await hasher.verify(stored, `${long}x`)).toBe(true);
    expect(await hasher.verify(stored, `${long}y`)).toBe(false);
    expect(await hasher.verify(stored, long)).toBe(false);
  });
});

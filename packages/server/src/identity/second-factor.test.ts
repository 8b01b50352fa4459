import { type IdentityWorld, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserRow } from '../store/store.ts';
import { bareCode, makeRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { isAppCode } from './second-factor.ts';
import { base32, hotp } from './totp.ts';

const STEP_MS = 30_000;

let world: IdentityWorld;
let user: UserRow;
beforeEach(async () => {
  world = await startIdentityWorld();
  user = await world.addUser('tom');
});
afterEach(() => world.close());

/** Reads the secret as an app does, from the text that is shown. */
function bytesOf(base32Text: string): Buffer {
  const bits = [...base32Text]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
const codeAt = (secret: string, ms: number): string => hotp(bytesOf(secret), Math.floor(ms / STEP_MS));

/** An app that is set up, with the code after the one that confirmed it. */
async function enrolled(of = user) {
  const { secret } = await world.secondFactor.offer(of);
  const recovery = await world.secondFactor.confirm(of.id, codeAt(secret, world.clock.ms));
  world.clock.ms += 2 * STEP_MS;
  return { secret, recovery, code: () => codeAt(secret, world.clock.ms) };
}

describe('setting up an app (CF-13)', () => {
  it('offers 160 bits as text and as an address, and is not in force yet', async () => {
    const { secret, uri } = await world.secondFactor.offer(user);
    expect(bytesOf(secret)).toHaveLength(20);
    expect(uri).toContain(`secret=${secret}`);
    expect(await world.secondFactor.owed(user.id)).toEqual([]);
    expect(await world.secondFactor.status(user.id)).toEqual({
      enrolled: false,
      passkeys: 0,
      recoveryCodesLeft: 0,
    });
    expect(await world.secondFactor.take(user.id, codeAt(secret, world.clock.ms))).toBe(false);
    const row = await world.store.people.findTotp(user.id);
    expect(row?.sealedSecret.startsWith(`${user.id} `)).toBe(true); // through the box, for this user
  });

  it('a new offer replaces the one before, whose codes confirm nothing', async () => {
    const first = await world.secondFactor.offer(user);
    const second = await world.secondFactor.offer(user);
    expect(second.secret).not.toBe(first.secret);
    await expect(
      world.secondFactor.confirm(user.id, codeAt(first.secret, world.clock.ms)),
    ).rejects.toMatchObject({ code: 'second_factor_invalid' });
    expect(await world.secondFactor.confirm(user.id, codeAt(second.secret, world.clock.ms))).toHaveLength(10);
  });

  it('is in force with a right code, gives ten recovery codes, and cannot be offered again', async () => {
    const { recovery } = await enrolled();
    expect(new Set(recovery).size).toBe(10);
    expect(await world.secondFactor.owed(user.id)).toEqual(['app', 'recovery']);
    expect(await world.secondFactor.status(user.id)).toEqual({
      enrolled: true,
      passkeys: 0,
      recoveryCodesLeft: 10,
    });
    await expect(world.secondFactor.offer(user)).rejects.toMatchObject({ code: 'conflict' });
    await expect(world.secondFactor.confirm(user.id, '000000')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('nothing is confirmed without an offer, and nobody confirms somebody else’s', async () => {
    await expect(world.secondFactor.confirm(user.id, '123456')).rejects.toMatchObject({ code: 'conflict' });
    const { secret } = await world.secondFactor.offer(user);
    await expect(
      world.secondFactor.confirm('user-olga', codeAt(secret, world.clock.ms)),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  it('of two that confirm at once one gets codes, and the codes that are kept are those', async () => {
    const { secret } = await world.secondFactor.offer(user);
    const code = codeAt(secret, world.clock.ms);
    const results = await Promise.allSettled([1, 2, 3].map(() => world.secondFactor.confirm(user.id, code)));
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect(await world.secondFactor.take(user.id, won[0]?.value[0] ?? '')).toBe(true);
    expect((await world.secondFactor.status(user.id)).recoveryCodesLeft).toBe(9);
  });
});

describe('codes of an app (CF-13, RFC 6238 §5.2)', () => {
  it('are good once, and none that is older afterwards', async () => {
    const { secret, code } = await enrolled();
    const now = world.clock.ms;
    const [before, present, next] = [-STEP_MS, 0, STEP_MS].map((ms) => codeAt(secret, now + ms));
    expect(await world.secondFactor.take(user.id, present ?? '')).toBe(true);
    expect(await world.secondFactor.take(user.id, present ?? '')).toBe(false);
    expect(await world.secondFactor.take(user.id, before ?? '')).toBe(false);
    expect(await world.secondFactor.take(user.id, next ?? '')).toBe(true); // a clock that runs ahead
    expect(await world.secondFactor.take(user.id, code())).toBe(false);
  });

  it('the one that confirmed the app does not sign anybody in', async () => {
    const { secret } = await world.secondFactor.offer(user);
    const code = codeAt(secret, world.clock.ms);
    await world.secondFactor.confirm(user.id, code);
    expect(await world.secondFactor.take(user.id, code)).toBe(false);
  });

  it('of several that send the same at once one is let in', async () => {
    const { code } = await enrolled();
    const taken = await Promise.all(
      Array.from({ length: 8 }, () => world.secondFactor.take(user.id, code())),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  it('may be typed with blanks and dashes, and are those of their own app alone', async () => {
    const mine = await enrolled();
    const other = await world.addUser('ute');
    const theirs = await enrolled(other);
    expect(await world.secondFactor.take(user.id, theirs.code())).toBe(false);
    const code = mine.code();
    expect(await world.secondFactor.take(user.id, ` ${code.slice(0, 3)}-${code.slice(3)} `)).toBe(true);
  });

  it('of nobody’s app, wrong and malformed ones are not taken', async () => {
    const { code } = await enrolled();
    const right = Number(code());
    const wrong = String((right + 1) % 1_000_000).padStart(6, '0');
    for (const text of [wrong, '', '12345', '1234567', 'abcdef', '１２３４５６'])
      expect([text, await world.secondFactor.take(user.id, text)]).toEqual([text, false]);
    expect(await world.secondFactor.take('user-olga', code())).toBe(false);
  });
});

describe('recovery codes (CF-13)', () => {
  it('are ten of 120 bits each, stored as hashes, in groups people can type', () => {
    const sizes: number[] = [];
    const { codes, codeHashes } = makeRecoveryCodes((size) => {
      sizes.push(size);
      return Buffer.alloc(size, sizes.length);
    });
    expect(sizes).toEqual(new Array(10).fill(15));
    expect(codes[0]).toBe((base32(Buffer.alloc(15, 1)).match(/.{4}/g) ?? []).join('-'));
    expect(codes.every((code) => /^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/.test(code))).toBe(true);
    expect(codeHashes).toEqual(codes.map(recoveryCodeHash));
    expect(JSON.stringify(codeHashes)).not.toContain(bareCode(codes[0] ?? ''));
  });

  it('are each good once, in any case and spacing, for their owner alone', async () => {
    const { recovery } = await enrolled();
    const [one = '', two = ''] = recovery;
    expect(await world.secondFactor.take('user-olga', one)).toBe(false);
    expect(await world.secondFactor.take(user.id, one.toLowerCase().replaceAll('-', ' '))).toBe(true);
    expect(await world.secondFactor.take(user.id, one)).toBe(false);
    expect(await world.secondFactor.take(user.id, two.slice(0, -1))).toBe(false);
    expect(await world.secondFactor.take(user.id, `${two}A`)).toBe(false);
    const taken = await Promise.all([1, 2, 3].map(() => world.secondFactor.take(user.id, two)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect((await world.secondFactor.status(user.id)).recoveryCodesLeft).toBe(8);
  });

  it('are replaced whole: none of the old ones is left', async () => {
    const { recovery } = await enrolled();
    const fresh = await world.secondFactor.renewRecoveryCodes(user.id);
    for (const code of recovery) expect(await world.secondFactor.take(user.id, code)).toBe(false);
    expect(await world.secondFactor.take(user.id, fresh[9] ?? '')).toBe(true);
  });

  it('are made for nobody who has no factor they could stand in for', async () => {
    await expect(world.secondFactor.renewRecoveryCodes(user.id)).rejects.toMatchObject({ code: 'conflict' });
    await world.secondFactor.offer(user);
    await expect(world.secondFactor.renewRecoveryCodes(user.id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it.each([
    ['123456', true],
    ['123 456', true],
    ['123-456', true],
    ['12345', false],
    ['1234567', false],
    ['12345a', false],
    ['ABCD-EFGH-IJKL-MNOP', false],
    ['123456\n', true],
    ['１２３４５６', false],
  ])('%j is what an app shows: %s', (text, expected) => expect(isAppCode(text)).toBe(expected));
});

describe('taking a second factor away (CF-13)', () => {
  it('ends the app and its recovery codes, and a new one can be set up', async () => {
    const { recovery, code } = await enrolled();
    expect(await world.secondFactor.remove(user.id)).toBe(true);
    expect(await world.secondFactor.owed(user.id)).toEqual([]);
    expect(await world.secondFactor.take(user.id, code())).toBe(false);
    expect(await world.secondFactor.take(user.id, recovery[0] ?? '')).toBe(false);
    expect(await world.secondFactor.remove(user.id)).toBe(false);
    expect((await enrolled()).recovery).toHaveLength(10);
  });

  it('leaves everybody else’s', async () => {
    await enrolled();
    const other = await enrolled(await world.addUser('ute'));
    expect(await world.secondFactor.removeAll(user.id)).toBe(true);
    expect(await world.secondFactor.removeAll(user.id)).toBe(false);
    expect(await world.secondFactor.take('user-ute', other.code())).toBe(true);
  });
});

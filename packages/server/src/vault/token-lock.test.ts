import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSoftToken, type SoftToken, softHsmModule } from '@tallygate/testkit/key-sources';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { MasterKeyError } from './master-key.ts';
import { createTokenLock, type TokenOptions } from './token-lock.ts';

const module = softHsmModule();

/** A real PKCS#11 token in software, through the same program as any other. */
describe.skipIf(module === null)('a lock on a token (CF-13)', () => {
  let dir: string;
  let token: SoftToken;
  const options = (change: Partial<TokenOptions> = {}): TokenOptions => ({
    ...token,
    pin: new Secret(token.pin),
    ...change,
  });
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tallygate-token-'));
    token = createSoftToken(module ?? '', dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('gives back what it locked, and locks the same key differently each time', async () => {
    const lock = createTokenLock(options());
    const key = randomBytes(32);
    const [one, other] = [await lock.lock(key), await lock.lock(key)];
    expect(one).not.toBe(other);
    expect(one).not.toContain(key.toString('base64'));
    expect((await lock.unlock(one)).equals(key)).toBe(true);
    expect((await lock.unlock(other)).equals(key)).toBe(true);
  });

  it.each([
    ['a wrong PIN', () => ({ pin: new Secret('0000-wrong') }), /CKR_PIN_INCORRECT/],
    ['another token', () => ({ token: 'nowhere' }), /token "nowhere" cannot be used/],
    ['a key that is not there', () => ({ key: 'nothing' }), /key "nothing"/],
    ['a library that is none', () => ({ module: '/nowhere/lib.so' }), /cannot be used/],
    [
      'a program that is not installed',
      () => ({ env: { PATH: '/nowhere' } }),
      /pkcs11-tool is not installed/,
    ],
  ])('says what is wrong: %s', async (_name, change, message) => {
    const run = createTokenLock(options(change())).lock(randomBytes(32));
    const error = await run.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(MasterKeyError);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain(token.pin);
  });

  it('names the key that is needed when the token holds another of the same name', async () => {
    const locked = await createTokenLock(options()).lock(randomBytes(32));
    token.another('spare');
    const spare = createTokenLock(options({ token: 'spare' }));
    const [needed = ''] = locked.split(' ');
    await expect(spare.unlock(locked)).rejects.toThrow(new RegExp(`locked by the token key ${needed}`));
  });

  it('refuses what was changed', async () => {
    const lock = createTokenLock(options());
    const [id, body = ''] = (await lock.lock(randomBytes(32))).split(' ');
    const bytes = Buffer.from(body, 'base64');
    bytes[9] = (bytes[9] ?? 0) ^ 1;
    await expect(lock.unlock(`${id} ${bytes.toString('base64')}`)).rejects.toThrow(MasterKeyError);
  });
});

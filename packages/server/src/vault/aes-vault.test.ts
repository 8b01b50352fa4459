import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import type { SealContext } from './vault.ts';

const context: SealContext = { table: 'account', row: 'a1', column: 'credential' };
const masterKey = Buffer.alloc(32, 7);

describe('createVault', () => {
  it('opens what it sealed, whatever the text', () => {
    const vault = createVault(masterKey);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (text, row, column) => {
        const where = { table: 'account', row, column };
        expect(vault.open(vault.seal(new Secret(text), where), where).reveal()).toBe(text);
      }),
    );
  });

  it('opens what was sealed by the first version, with a key derived from the master key', () => {
    const derived = (purpose: string, bytes: number): Buffer =>
      Buffer.from(hkdfSync('sha256', masterKey, '', `tallygate vault 1 ${purpose}`, bytes));
    const nonce = Buffer.alloc(12, 5);
    const cipher = createCipheriv('aes-256-gcm', derived('encryption', 32), nonce);
    const parts = ['account', 'a1', 'credential'].flatMap((part) => [
      Buffer.from([0, 0, 0, part.length]),
      Buffer.from(part),
    ]);
    cipher.setAAD(Buffer.concat([Buffer.from('tgv1'), ...parts]));
    const body = Buffer.concat([nonce, cipher.update('from before'), cipher.final(), cipher.getAuthTag()]);
    const text = `tgv1.${derived('key id', 8).toString('hex')}.${body.toString('base64url')}`;
    expect(createVault(masterKey).open(text, context).reveal()).toBe('from before');
  });

  it('gives a different text each time, and none that holds the secret', () => {
    const vault = createVault(masterKey);
    const sealed = Array.from({ length: 200 }, () =>
      vault.seal(new Secret('sk-ant-0123456789abcdef'), context),
    );
    expect(new Set(sealed).size).toBe(200);
    const nonces = sealed.map((text) =>
      Buffer.from(text.split('.')[2] ?? '', 'base64url')
        .subarray(0, 12)
        .toString('hex'),
    );
    expect(new Set(nonces).size).toBe(200);
    expect(sealed.join()).not.toContain('0123456789abcdef');
    expect(Buffer.from(sealed[0]?.split('.')[2] ?? '', 'base64url').includes('0123456789abcdef')).toBe(false);
  });

  it('does not open a value that was moved to another row, table or column', () => {
    const vault = createVault(masterKey);
    const sealed = vault.seal(new Secret('x'), context);
    for (const other of [
      { ...context, row: 'a2' },
      { ...context, table: 'user' },
      { ...context, column: 'name' },
    ]) {
      expect(() => vault.open(sealed, other)).toThrow(/changed or belongs to another row/);
    }
  });

  it('keeps the parts of the context apart: lengths are bound, not only the joined text', () => {
    const vault = createVault(masterKey);
    const sealed = vault.seal(new Secret('x'), { table: 'ab', row: 'c', column: 'd' });
    for (const shifted of [
      { table: 'a', row: 'bc', column: 'd' },
      { table: 'ab', row: '', column: 'cd' },
      { table: 'abc', row: 'd', column: '' },
    ]) {
      expect(() => vault.open(sealed, shifted)).toThrow();
    }
  });

  it('does not open when any single bit was changed', () => {
    const vault = createVault(masterKey);
    const [format, id, body = ''] = vault.seal(new Secret('credential'), context).split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => vault.open(`${format}.${id}.${changed.toString('base64url')}`, context)).toThrow();
    }
  });

  it('does not open a truncated tag', () => {
    const vault = createVault(masterKey);
    const [format, id, body = ''] = vault.seal(new Secret('credential'), context).split('.');
    for (let cut = 1; cut <= 16; cut++) {
      const short = Buffer.from(body, 'base64url').subarray(0, -cut).toString('base64url');
      expect(() => vault.open(`${format}.${id}.${short}`, context)).toThrow();
    }
  });

  it('names both keys when the value was sealed with another one', () => {
    const mine = createVault(masterKey);
    const other = createVault(randomBytes(32));
    expect(() => mine.open(other.seal(new Secret('x'), context), context)).toThrow(
      new RegExp(`${other.keyId}.*${mine.keyId}`),
    );
  });

  it('refuses text that is no sealed value', () => {
    const vault = createVault(masterKey);
    for (const text of [
      '',
      'sk-plain',
      'tgv1..',
      'tgv1.0011223344556677.AAAA',
      `tgv2.${vault.keyId}.${'A'.repeat(60)}`,
    ]) {
      expect(() => vault.open(text, context)).toThrow(/not a sealed value/);
    }
  });

  it.each([0, 16, 31, 33])('refuses a master key of %i bytes', (bytes) => {
    expect(() => createVault(Buffer.alloc(bytes))).toThrow(RangeError);
  });

  it('has a key id that tells nothing about the key and stays the same', () => {
    const { keyId } = createVault(masterKey);
    expect(createVault(Buffer.from(masterKey)).keyId).toBe(keyId);
    expect(masterKey.toString('hex')).not.toContain(keyId);
  });

  it('hands out a secret that does not print', () => {
    const vault = createVault(masterKey);
    const secret = vault.open(vault.seal(new Secret('canary-value'), context), context);
    expect(`${secret}${JSON.stringify({ secret })}${inspect(secret)}`).not.toContain('canary');
  });
});

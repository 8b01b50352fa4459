import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { openWith, parseSealed, type SealKey, sealWith } from './sealer.ts';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const KEY_ID = '0011223344556677';
const CONTEXT = { table: 'account', row: 'a1', column: 'credential' };
const sealing = (change: Partial<SealKey> = {}): SealKey => ({
  format: 'tgv2',
  keyId: KEY_ID,
  key: KEY,
  ...change,
});
const seal = (text: string, change: Partial<SealKey> = {}, context = CONTEXT): string =>
  sealWith(sealing(change), new Secret(text), context, randomBytes);
const open = (sealed: string, key: Uint8Array = KEY, context = CONTEXT): string => {
  const parsed = parseSealed(sealed);
  if (parsed === null) throw new Error('not sealed');
  return openWith(key, parsed, context).reveal();
};

/** The associated data written down a second time: what is on somebody's disk must open for ever. */
function aadOf(format: string, parts: readonly string[]): Buffer {
  const lengths = parts.map((part) => {
    const bytes = Buffer.from(part);
    return Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
  });
  return Buffer.concat([Buffer.from(format), ...lengths]);
}

describe('the form of a sealed value (CF-13)', () => {
  it('is the nonce, the ciphertext and the tag of AES-256-GCM, as it always was', () => {
    const nonce = Buffer.alloc(12, 9);
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
    cipher.setAAD(aadOf('tgv2', ['account', 'a1', 'credential']));
    const body = Buffer.concat([nonce, cipher.update('sk-ant-secret'), cipher.final(), cipher.getAuthTag()]);
    const expected = `tgv2.${KEY_ID}.${body.toString('base64url')}`;
    const sealed = sealWith(sealing(), new Secret('sk-ant-secret'), CONTEXT, () => nonce);
    expect(sealed).toBe(expected);
    expect(open(expected)).toBe('sk-ant-secret');
  });

  it('opens with nothing but the standard, byte by byte', () => {
    const sealed = seal('größer als ASCII 🙂');
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12));
    decipher.setAAD(aadOf('tgv2', ['account', 'a1', 'credential']));
    decipher.setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    expect(plain.toString('utf8')).toBe('größer als ASCII 🙂');
  });

  it('takes twelve fresh random bytes for each value, once', () => {
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      sealWith(sealing(), new Secret('x'), CONTEXT, (size) => {
        sizes.push(size);
        return randomBytes(size);
      });
    }
    expect(sizes).toEqual([12, 12, 12]);
  });

  it('never repeats a nonce, and equal values never look alike', () => {
    const sealed = Array.from({ length: 2_000 }, () => seal('the same'));
    const bodies = sealed.map((text) => Buffer.from(text.split('.')[2] ?? '', 'base64url'));
    expect(new Set(bodies.map((body) => body.toString('hex', 0, 12))).size).toBe(2_000);
    expect(new Set(bodies.map((body) => body.toString('hex', 12))).size).toBe(2_000);
  });

  it('has a bound, and takes what is exactly as large', () => {
    const largest = 'x'.repeat(1024 * 1024);
    expect(open(seal(largest))).toBe(largest);
    expect(() => seal(`${largest}x`)).toThrow(RangeError);
    expect(() => seal('ü'.repeat(600_000))).toThrow(RangeError); // counted in bytes
    expect(open(seal(''))).toBe('');
  });
});

describe('parseSealed', () => {
  const body = Buffer.alloc(28).toString('base64url');

  it('reads both formats', () => {
    for (const format of ['tgv1', 'tgv2'])
      expect(parseSealed(`${format}.${KEY_ID}.${body}`)).toEqual({
        format,
        keyId: KEY_ID,
        bytes: Buffer.alloc(28),
      });
  });

  it.each([
    ['nothing', ''],
    ['a readable key', 'sk-ant-api03-abc'],
    ['a format that is not ours', `tgv3.${KEY_ID}.${body}`],
    ['a format in capitals', `TGV2.${KEY_ID}.${body}`],
    ['a short key id', `tgv2.${KEY_ID.slice(1)}.${body}`],
    ['a long key id', `tgv2.${KEY_ID}0.${body}`],
    ['a key id in capitals', `tgv2.00112233445566AA.${body}`],
    ['no body', `tgv2.${KEY_ID}.`],
    ['a body without room for nonce and tag', `tgv2.${KEY_ID}.${Buffer.alloc(27).toString('base64url')}`],
    ['ordinary base64', `tgv2.${KEY_ID}.${'+'.repeat(38)}`],
    ['padding', `tgv2.${KEY_ID}.${body}==`],
    ['a line break behind', `tgv2.${KEY_ID}.${body}\n`],
    ['a blank before', ` tgv2.${KEY_ID}.${body}`],
    ['a fourth part', `tgv2.${KEY_ID}.${body}.x`],
  ])('does not take %s for a sealed value', (_name, text) => expect(parseSealed(text)).toBeNull());

  it('takes no other text for one, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^tgv[12]\./.test(text));
        expect(parseSealed(text)).toBeNull();
      }),
    );
  });
});

describe('what a sealed value is bound to (CF-13)', () => {
  it('is its place: the same place opens it, any other does not', () => {
    const part = fc.string({ maxLength: 12 });
    const place = fc.record({ table: part, row: part, column: part });
    fc.assert(
      fc.property(place, place, (here, there) => {
        const sealed = seal('x', {}, here);
        expect(open(sealed, KEY, here)).toBe('x');
        const same = here.table === there.table && here.row === there.row && here.column === there.column;
        if (!same) expect(() => open(sealed, KEY, there)).toThrow(/changed or belongs to another row/);
      }),
      { numRuns: 60 },
    );
  });

  it('is its format: what one key of the older format sealed is not passed off as the newer', () => {
    const older = seal('x', { format: 'tgv1' });
    expect(open(older)).toBe('x');
    expect(() => open(older.replace('tgv1', 'tgv2'))).toThrow(/changed/);
  });

  it('is its key: with any bit of it changed nothing opens', () => {
    const sealed = seal('x');
    for (let bit = 0; bit < 256; bit += 7) {
      const other = Buffer.from(KEY);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open(sealed, other)).toThrow(/changed/);
    }
  });

  it('is its whole text: parts of two values make no third', () => {
    const [one, other] = [seal('first'), seal('other')];
    const [a, b] = [one, other].map((text) => Buffer.from(text.split('.')[2] ?? '', 'base64url'));
    if (a === undefined || b === undefined) throw new Error('both are there');
    const mixed = [
      Buffer.concat([a.subarray(0, 12), b.subarray(12)]),
      Buffer.concat([a.subarray(0, -16), b.subarray(-16)]),
      Buffer.concat([a.subarray(0, 12), b.subarray(12, -16), a.subarray(-16)]),
      Buffer.concat([a, Buffer.from([0])]),
    ];
    for (const bytes of mixed)
      expect(() => open(`tgv2.${KEY_ID}.${bytes.toString('base64url')}`)).toThrow(/changed/);
  });

  it('a failure says nothing of what was inside', () => {
    const sealed = seal('canary-value');
    const broken = `${sealed.slice(0, -3)}AAA`;
    try {
      open(broken);
      expect.unreachable();
    } catch (error) {
      const { cause } = error as Error;
      expect(`${error}${(cause as Error).message}`).not.toContain('canary');
    }
  });

  it('needs a key of 32 bytes', () => {
    for (const bytes of [0, 16, 24, 31, 33]) expect(() => seal('x', { key: Buffer.alloc(bytes) })).toThrow();
  });
});

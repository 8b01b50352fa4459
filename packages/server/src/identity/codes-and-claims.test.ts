import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBucket } from './login-throttle.ts';
import { bareCode, makeRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { createSetupCode } from './setup-code.ts';
import { claimAt } from './sso-roles.ts';
import { base32, hotp, matchingStep, otpauthUri } from './totp.ts';

const STEP_MS = 30_000;
const secrets = fc.uint8Array({ minLength: 20, maxLength: 20 });

/** RFC 4648 §6 read backwards, apart from the code under test. */
function fromBase32(text: string): Buffer {
  const bits = [...text].map((one) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(one).toString(2).padStart(5, '0'),
  );
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

describe('codes of an app (CF-13)', () => {
  it('count for the step they are of and one on either side, and for no other (property)', () => {
    fc.assert(
      fc.property(secrets, fc.nat(2_000_000_000), fc.integer({ min: -4, max: 4 }), (secret, step, away) => {
        const codes = [-1, 0, 1].map((drift) => hotp(secret, step + 5 + drift));
        const code = hotp(secret, step + 5 + away);
        const found = matchingStep(secret, code, (step + 5) * STEP_MS + 17);
        expect(found !== null).toBe(codes.includes(code));
        // Two steps in reach may have the same code by chance: then the later one is burnt with it.
        if (found !== null) expect(hotp(secret, found)).toBe(code);
      }),
    );
  });

  it('are six digits and nothing else: spaces, letters of other scripts and longer ones are none', () => {
    const secret = randomBytes(20);
    const now = 59 * STEP_MS;
    const code = hotp(secret, 59);
    for (const wrong of [
      '',
      code.slice(1),
      `${code}0`,
      ` ${code}`,
      `${code}\n`,
      code.replace(/./, '٣'),
      '-00001',
    ])
      expect(matchingStep(secret, wrong, now)).toBeNull();
  });

  it('come from a secret that an app reads as it is, whoever it is for (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = base32(bytes);
        expect(text).toMatch(/^[A-Z2-7]*$/);
        expect(fromBase32(text)).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(secrets, fc.string({ unit: 'grapheme', minLength: 1 }), (secret, username) => {
        const uri = new URL(otpauthUri(secret, username));
        expect(decodeURIComponent(uri.pathname.replace(/^\/*totp\//, ''))).toContain(`Tallygate:${username}`);
        expect([...uri.searchParams.keys()]).toEqual(['secret', 'issuer']);
        expect(fromBase32(uri.searchParams.get('secret') ?? '')).toEqual(Buffer.from(secret));
      }),
    );
  });
});

describe('recovery codes (CF-13)', () => {
  it('are known again however they are typed, and no two of them are one', () => {
    const { codes, codeHashes } = makeRecoveryCodes(randomBytes);
    expect([codes.length, new Set(codeHashes).size]).toEqual([10, 10]);
    for (const [i, code] of codes.entries()) {
      expect(fromBase32(bareCode(code))).toHaveLength(15);
      for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ' '), ` ${bareCode(code)}\t`])
        expect(recoveryCodeHash(typed)).toBe(codeHashes[i]);
      expect(recoveryCodeHash(code.slice(1))).not.toBe(codeHashes[i]);
    }
  });

  it('are stored as the hash of the bare code, and from each byte of chance', () => {
    let calls = 0;
    const { codes, codeHashes } = makeRecoveryCodes((size) => Buffer.alloc(size, ++calls));
    expect(new Set(codes).size).toBe(10);
    const [code = ''] = codes;
    expect(codeHashes[0]).toBe(createHash('sha256').update(code.replaceAll('-', '')).digest('hex'));
  });
});

describe('the code of the set-up (WT-11)', () => {
  it('is in one hand at a time, whoever takes, gives back and ends it in whatever order (property)', () => {
    const act = fc.constantFrom('right', 'wrong', 'release', 'finish', 'issue');
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const setup = createSetupCode(randomBytes);
        let code: string | null = null;
        let taken = false;
        for (const what of acts) {
          if (what === 'issue') [code, taken] = [setup.issue().reveal(), false];
          else if (what === 'release') {
            setup.release();
            taken = false;
          } else if (what === 'finish') {
            setup.finish();
            code = null;
          } else if (what === 'wrong') expect(setup.take(`${code}x`)).toBe(false);
          else {
            expect(setup.take(code ?? '')).toBe(code !== null && !taken);
            taken ||= code !== null;
          }
          expect(setup.pending).toBe(code !== null);
        }
      }),
    );
  });
});

describe('an address that is counted (CW-04)', () => {
  const group = fc.nat(0xffff);
  const half = fc.tuple(group, group, group, group);
  it('is the network of 64 bits, however it is written (property)', () => {
    fc.assert(
      fc.property(half, half, half, (network, here, there) => {
        fc.pre(network.some((one) => one !== 0)); // those of all zeros may be IPv4 in disguise
        const text = (rest: readonly number[]) =>
          [...network, ...rest].map((one) => one.toString(16)).join(':');
        const bucket = addressBucket(text(here));
        const padded = [...network, ...here].map((one) => one.toString(16).padStart(4, '0')).join(':');
        const short = new URL(`http://[${text(here)}]`).hostname.slice(1, -1);
        for (const same of [text(there), padded, padded.toUpperCase(), short, `${short}%eth0`])
          expect(addressBucket(same)).toBe(bucket);
        const other = [(network[0] ?? 0) ^ 1, ...network.slice(1)];
        expect(addressBucket([...other, ...here].map((one) => one.toString(16)).join(':'))).not.toBe(bucket);
      }),
    );
  });

  it('of IPv4 is itself, also in the clothes of IPv6; one that is not known is one for all', () => {
    expect(['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1'].map(addressBucket)).toEqual(
      Array(3).fill('192.0.2.1'),
    );
    for (const same of [
      '::ffff:c000:201',
      '0:0:0:0:0:FFFF:C000:0201',
      '0:0:0:0:0:ffff:192.0.2.1',
      '0::ffff:192.0.2.1%1',
    ])
      expect(addressBucket(same)).toBe('192.0.2.1');
    expect(addressBucket('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0::/64');
    expect([addressBucket(null), addressBucket('192.0.2.2')]).toEqual(['unknown', '192.0.2.2']);
  });
});

describe('claims of a provider (CW-02)', () => {
  const claims = {
    iss: 'i',
    sub: 's',
    groups: ['a'],
    'https://x.example/roles': ['b'],
    'a.b': 'whole',
    a: { b: 'along', c: { d: 0 } },
  };
  it.each([
    ['groups', ['a']],
    ['https://x.example/roles', ['b']],
    ['a.b', 'whole'],
    ['a.c.d', 0],
    ['a.c.d.e', undefined],
    ['a.nothing', undefined],
    ['groups.length', 1],
    ['', undefined],
    ['.', undefined],
    ['__proto__', undefined],
    ['constructor.name', undefined],
    ['a.toString', undefined],
  ])('%s', (name, value) => {
    expect(claimAt(claims, name)).toEqual(value);
  });
});

import { brotliDecompressSync } from 'node:zlib';
import { COMMON_PASSWORDS } from '@tallygate/server/identity/generated/common-password-list';
import { expect, it } from 'vitest';
import { commonPasswords } from './compile.mjs';

it('(TW-01) the list in the program is what the package says', () => {
  const packed = brotliDecompressSync(Buffer.from(COMMON_PASSWORDS, 'base64')).toString('latin1');
  const listed = packed.trim().split('\n');
  expect(listed).toEqual(commonPasswords());
  expect(listed.length).toBeGreaterThan(10_000);
});

import { brotliDecompressSync } from 'node:zlib';
import { COMMON_PASSWORDS } from './generated/common-password-list.ts';

/** Years, counters and punctuation that people hang on a word; more than this may be random. */
const MOST_TRIMMINGS = 8;

/** Unpacked each time: passwords are chosen rarely, and the list would lie in memory for ever. */
const unpacked = (): string =>
  brotliDecompressSync(Buffer.from(COMMON_PASSWORDS, 'base64')).toString('latin1');

/** The spellings under which a password may be listed. */
function spellings(plain: string, asLetters: (text: string) => string): Set<string> {
  const core = plain.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  const bases = plain.length - core.length <= MOST_TRIMMINGS ? [plain, core] : [plain];
  const half = core.slice(0, core.length / 2);
  if (half.length > 0 && half + half === core) bases.push(half);
  return new Set(bases.flatMap((base) => [base, asLetters(base)]));
}

/**
 * True when the password is one of the common ones, such a one with digits and punctuation around it, or twice the
 * same. Passphrases of several words are none, whatever their words are.
 * @param plain the password in lower case
 * @param asLetters reads digits that stand for letters, as in `p4ssw0rd`
 */
export function isCommonPassword(plain: string, asLetters: (text: string) => string): boolean {
  const list = unpacked();
  return [...spellings(plain, asLetters)].some(
    (text) => !text.includes('\n') && list.includes(`\n${text}\n`),
  );
}

import { type RandomBytes, sha256Hex } from './token.ts';
import { base32 } from './totp.ts';

const RECOVERY_CODES = 10;
/** 120 bits: ASVS 5.0 V6.5.2 lets codes of 112 and more be stored under a fast hash. */
const RECOVERY_CODE_BYTES = 15;

/** Codes as people type them: with spaces and dashes, in any case. */
export const bareCode = (code: string): string => code.replace(/[\s-]/g, '').toUpperCase();

/** The form in which a recovery code is stored. */
export const recoveryCodeHash = (code: string): string => sha256Hex(bareCode(code));

/** Fresh recovery codes, shown once, and what is stored of them. */
export function makeRecoveryCodes(randomBytes: RandomBytes): { codes: string[]; codeHashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    (base32(randomBytes(RECOVERY_CODE_BYTES)).match(/.{4}/g) ?? []).join('-'),
  );
  return { codes, codeHashes: codes.map(recoveryCodeHash) };
}

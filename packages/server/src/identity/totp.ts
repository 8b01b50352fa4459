import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC 6238 §4: steps of 30 seconds since the epoch. */
const STEP_MS = 30_000;
const DIGITS = 6;
/** RFC 6238 §5.2: one step either way makes up for clocks that differ. */
const DRIFT_STEPS = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4226 §4 asks for 160 bits; apps expect HMAC-SHA-1, whatever an address says. */
export const TOTP_SECRET_BYTES = 20;

/** RFC 4226 §5.3: the code of a counter. */
export function hotp(secret: Uint8Array, counter: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac('sha1', secret).update(message).digest();
  const offset = digest.readUInt8(digest.length - 1) & 0xf;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** The time step whose code this is, of those that may count now; null when it is none. All are compared. */
export function matchingStep(secret: Uint8Array, code: string, nowMs: number): number | null {
  const now = Math.floor(nowMs / STEP_MS);
  const sent = Buffer.from(code, 'latin1');
  let found: number | null = null;
  for (let step = now - DRIFT_STEPS; step <= now + DRIFT_STEPS; step++) {
    const expected = Buffer.from(hotp(secret, step), 'latin1');
    if (sent.length === expected.length && timingSafeEqual(sent, expected)) found = step;
  }
  return found;
}

/** RFC 4648 §6 without padding: how apps take secrets that are typed. */
export function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}

/** The address that authenticator apps read from a QR code. */
export function otpauthUri(secret: Uint8Array, username: string): string {
  const label = `Tallygate:${encodeURIComponent(username)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=Tallygate`;
}

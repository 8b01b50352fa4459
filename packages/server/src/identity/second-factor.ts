import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { PeopleStore, TotpRow } from '../store/ports/people.ts';
import { type RandomBytes, sha256Hex } from './token.ts';
import { base32, matchingStep, otpauthUri, TOTP_SECRET_BYTES } from './totp.ts';

/** Seals the secrets of second factors; bound to the user, so that one moved to another row does not open. */
export interface SecretBox {
  seal(secret: Secret, userId: string): string;
  open(sealed: string, userId: string): Secret;
}

/** Time-based codes of an app, and recovery codes for the day it is lost (CF-13). */
export interface SecondFactor {
  status(userId: string): Promise<{ enrolled: boolean; recoveryCodesLeft: number }>;
  /** A new secret, in force once `confirm` saw a code of it. @throws AppError `conflict` when there is one already */
  offer(user: { id: string; username: string }): Promise<{ secret: string; uri: string }>;
  /** @returns the recovery codes, this once. @throws AppError `second_factor_invalid`, or `conflict` without an offer */
  confirm(userId: string, code: string): Promise<string[]>;
  /** True when the code was good; it is used up then. */
  take(userId: string, code: string): Promise<boolean>;
  /** Replaces the recovery codes. @throws AppError `conflict` without a second factor */
  renewRecoveryCodes(userId: string): Promise<string[]>;
  remove(userId: string): Promise<boolean>;
}

const RECOVERY_CODES = 10;
/** 80 bits: too many to guess, so a fast hash is enough. */
const RECOVERY_CODE_BYTES = 10;

/** True for what an app shows; anything else is taken for a recovery code. */
export const isAppCode = (code: string): boolean => /^\d{6}$/.test(bare(code));

/** Codes as people type them: with spaces and dashes, in any case. */
const bare = (code: string): string => code.replace(/[\s-]/g, '').toUpperCase();

interface SecondFactorParts {
  store: PeopleStore;
  box: SecretBox;
  clock: Clock;
  randomBytes: RandomBytes;
}

export function createSecondFactor({ store, box, clock, randomBytes }: SecondFactorParts): SecondFactor {
  const stepOf = (row: TotpRow, code: string): number | null => {
    const secret = Buffer.from(box.open(row.sealedSecret, row.userId).reveal(), 'base64');
    return matchingStep(secret, bare(code), clock.now());
  };
  const makeRecoveryCodes = (): { codes: string[]; codeHashes: string[] } => {
    const codes = Array.from({ length: RECOVERY_CODES }, () =>
      (base32(randomBytes(RECOVERY_CODE_BYTES)).match(/.{4}/g) ?? []).join('-'),
    );
    return { codes, codeHashes: codes.map((code) => sha256Hex(bare(code))) };
  };
  const isConfirmed = (row: TotpRow | null): row is TotpRow => row !== null && row.confirmedAtMs !== null;

  return {
    async status(userId) {
      const enrolled = isConfirmed(await store.findTotp(userId));
      return { enrolled, recoveryCodesLeft: enrolled ? await store.countRecoveryCodes(userId) : 0 };
    },
    async offer(user) {
      const secret = randomBytes(TOTP_SECRET_BYTES);
      const offered = await store.offerTotp({
        userId: user.id,
        sealedSecret: box.seal(new Secret(Buffer.from(secret).toString('base64')), user.id),
        confirmedAtMs: null,
        lastStep: 0,
        createdAtMs: clock.now(),
      });
      if (!offered) throw new AppError('conflict', { detail: 'You have a second factor. Remove it first.' });
      return { secret: base32(secret), uri: otpauthUri(secret, user.username) };
    },
    async confirm(userId, code) {
      const row = await store.findTotp(userId);
      if (row === null || isConfirmed(row)) {
        throw new AppError('conflict', { detail: 'There is no second factor waiting to be confirmed.' });
      }
      const step = stepOf(row, code);
      if (step === null) throw new AppError('second_factor_invalid');
      const { codes, codeHashes } = makeRecoveryCodes();
      if (await store.confirmTotp(row, { atMs: clock.now(), step, codeHashes })) return codes;
      throw new AppError('conflict', { detail: 'Another second factor was set up in the meantime.' });
    },
    async take(userId, code) {
      const row = await store.findTotp(userId);
      if (!isConfirmed(row)) return false;
      if (!isAppCode(code)) return store.takeRecoveryCode(userId, sha256Hex(bare(code)), clock.now());
      const step = stepOf(row, code);
      return step !== null && (await store.takeTotpStep(userId, step));
    },
    async renewRecoveryCodes(userId) {
      if (!isConfirmed(await store.findTotp(userId))) {
        throw new AppError('conflict', {
          detail: 'There is no second factor that recovery codes could stand in for.',
        });
      }
      const { codes, codeHashes } = makeRecoveryCodes();
      await store.replaceRecoveryCodes(userId, codeHashes);
      return codes;
    },
    remove: (userId) => store.deleteTotp(userId),
  };
}

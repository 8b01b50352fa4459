import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { TotpRow } from '../store/ports/people.ts';
import type { Store } from '../store/store.ts';
import { bareCode, makeRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import type { RandomBytes } from './token.ts';
import { base32, matchingStep, otpauthUri, TOTP_SECRET_BYTES } from './totp.ts';

/** Seals the secrets of second factors; bound to the user, so that one moved to another row does not open. */
export interface SecretBox {
  seal(secret: Secret, userId: string): string;
  open(sealed: string, userId: string): Secret;
}

/** What may be shown as the second step of signing in. */
export type OwedFactor = 'app' | 'passkey' | 'recovery';

/** Time-based codes of an app, and recovery codes for the day it or a passkey is lost (CF-13). */
export interface SecondFactor {
  /** `enrolled`: the app is set up. */
  status(userId: string): Promise<{ enrolled: boolean; passkeys: number; recoveryCodesLeft: number }>;
  /** What signing in takes beside the password; empty when that is enough. */
  owed(userId: string): Promise<OwedFactor[]>;
  /** A new secret, in force once `confirm` saw a code of it. @throws AppError `conflict` when there is one already */
  offer(user: { id: string; username: string }): Promise<{ secret: string; uri: string }>;
  /** @returns the recovery codes, this once. @throws AppError `second_factor_invalid`, or `conflict` without an offer */
  confirm(userId: string, code: string): Promise<string[]>;
  /** True when the code was good; it is used up then. */
  take(userId: string, code: string): Promise<boolean>;
  /** Replaces the recovery codes. @throws AppError `conflict` without a second factor */
  renewRecoveryCodes(userId: string): Promise<string[]>;
  /** Removes the app; the recovery codes with it unless there are passkeys. */
  remove(userId: string): Promise<boolean>;
  /** Removes app, passkeys and recovery codes. */
  removeAll(userId: string): Promise<boolean>;
}

/** True for what an app shows; anything else is taken for a recovery code. */
export const isAppCode = (code: string): boolean => /^\d{6}$/.test(bareCode(code));

interface SecondFactorParts {
  store: Pick<Store, 'people' | 'passkeys'>;
  box: SecretBox;
  clock: Clock;
  randomBytes: RandomBytes;
}

export function createSecondFactor(parts: SecondFactorParts): SecondFactor {
  const { box, clock, randomBytes } = parts;
  const { people: store, passkeys } = parts.store;
  const stepOf = (row: TotpRow, code: string): number | null => {
    const secret = Buffer.from(box.open(row.sealedSecret, row.userId).reveal(), 'base64');
    return matchingStep(secret, bareCode(code), clock.now());
  };
  const isConfirmed = (row: TotpRow | null): row is TotpRow => row !== null && row.confirmedAtMs !== null;

  return {
    async status(userId) {
      const [totp, keys, recoveryCodesLeft] = await Promise.all([
        store.findTotp(userId),
        passkeys.listPasskeys(userId),
        store.countRecoveryCodes(userId),
      ]);
      return { enrolled: isConfirmed(totp), passkeys: keys.length, recoveryCodesLeft };
    },
    async owed(userId) {
      const [totp, keys] = await Promise.all([store.findTotp(userId), passkeys.listPasskeys(userId)]);
      const owed: OwedFactor[] = [];
      if (isConfirmed(totp)) owed.push('app');
      if (keys.length > 0) owed.push('passkey');
      return owed.length === 0 ? [] : [...owed, 'recovery'];
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
      const { codes, codeHashes } = makeRecoveryCodes(randomBytes);
      if (await store.confirmTotp(row, { atMs: clock.now(), step, codeHashes })) return codes;
      throw new AppError('conflict', { detail: 'Another second factor was set up in the meantime.' });
    },
    async take(userId, code) {
      if (!isAppCode(code)) return store.takeRecoveryCode(userId, recoveryCodeHash(code), clock.now());
      const row = await store.findTotp(userId);
      if (!isConfirmed(row)) return false;
      const step = stepOf(row, code);
      return step !== null && (await store.takeTotpStep(userId, step));
    },
    async renewRecoveryCodes(userId) {
      if (!(await passkeys.hasSecondFactor(userId))) {
        throw new AppError('conflict', {
          detail: 'There is no second factor that recovery codes could stand in for.',
        });
      }
      const { codes, codeHashes } = makeRecoveryCodes(randomBytes);
      await store.replaceRecoveryCodes(userId, codeHashes);
      return codes;
    },
    remove: (userId) => store.deleteTotp(userId),
    removeAll: (userId) => passkeys.deleteSecondFactors(userId),
  };
}

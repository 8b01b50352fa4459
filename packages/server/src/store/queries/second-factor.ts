import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { PeopleStore, TotpRow } from '../ports/people.ts';
import type { Schema } from '../schema.ts';
import { sessionRow } from './identity.ts';

type Totp = Pick<
  PeopleStore,
  | 'findTotp'
  | 'offerTotp'
  | 'confirmTotp'
  | 'takeTotpStep'
  | 'takeRecoveryCode'
  | 'replaceRecoveryCodes'
  | 'countRecoveryCodes'
  | 'deleteTotp'
>;
type RecoveryCodes = Pick<Totp, 'takeRecoveryCode' | 'replaceRecoveryCodes' | 'countRecoveryCodes'>;
type SessionLists = Pick<
  PeopleStore,
  'listSessions' | 'endSessions' | 'endAllSessions' | 'takeSecondFactorTry'
>;
export type SecondFactorStore = Totp & SessionLists;

/** Second factors, and sessions as a list. */
export function createSecondFactorStore(database: StoreDatabase): SecondFactorStore {
  return { ...totp(database), ...recoveryCodes(database), ...sessionLists(database) };
}

/** True when the user has a confirmed app or a passkey. */
export async function hasSecondFactor(db: Kysely<Schema>, userId: string): Promise<boolean> {
  const app = await db
    .selectFrom('user_totp')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('confirmed_at_ms', 'is not', null)
    .executeTakeFirst();
  if (app !== undefined) return true;
  const passkey = await db
    .selectFrom('passkey')
    .select('id')
    .where('user_id', '=', userId)
    .limit(1)
    .executeTakeFirst();
  return passkey !== undefined;
}

/** Recovery codes stand in for a second factor: without one they are worth nothing. */
export async function dropOrphanedCodes(db: Kysely<Schema>, userId: string): Promise<void> {
  if (await hasSecondFactor(db, userId)) return;
  await db.deleteFrom('recovery_code').where('user_id', '=', userId).execute();
}

/** Puts these recovery codes in the place of all others of the user. */
export async function replaceCodes(
  db: Kysely<Schema>,
  userId: string,
  hashes: readonly string[],
): Promise<void> {
  await db.deleteFrom('recovery_code').where('user_id', '=', userId).execute();
  for (const hash of hashes) {
    await db
      .insertInto('recovery_code')
      .values({ user_id: userId, code_hash: hash, used_at_ms: null })
      .execute();
  }
}

async function insertTotp(db: Kysely<Schema>, row: TotpRow): Promise<void> {
  await db
    .insertInto('user_totp')
    .values({
      user_id: row.userId,
      sealed_secret: row.sealedSecret,
      confirmed_at_ms: row.confirmedAtMs,
      last_step: row.lastStep,
      created_at_ms: row.createdAtMs,
    })
    .execute();
}

function totp(database: StoreDatabase): Omit<Totp, keyof RecoveryCodes> {
  const { kysely } = database;
  return {
    async findTotp(userId) {
      const row = await kysely
        .selectFrom('user_totp')
        .selectAll()
        .where('user_id', '=', userId)
        .executeTakeFirst();
      if (row === undefined) return null;
      return {
        userId: row.user_id,
        sealedSecret: row.sealed_secret,
        confirmedAtMs: row.confirmed_at_ms,
        lastStep: row.last_step,
        createdAtMs: row.created_at_ms,
      };
    },
    async offerTotp(row) {
      try {
        return await database.write(async ({ db }) => {
          await db
            .deleteFrom('user_totp')
            .where('user_id', '=', row.userId)
            .where('confirmed_at_ms', 'is', null)
            .execute();
          await insertTotp(db, row);
          return true;
        });
      } catch (error) {
        if (database.dialect.isUniqueViolation(error)) return false; // a confirmed one is there
        throw error;
      }
    },
    confirmTotp: (row, { atMs, step, codeHashes }) =>
      database.write(async ({ db }) => {
        const result = await db
          .updateTable('user_totp')
          .set({ confirmed_at_ms: atMs, last_step: step })
          .where('user_id', '=', row.userId)
          .where('sealed_secret', '=', row.sealedSecret)
          .where('confirmed_at_ms', 'is', null)
          .executeTakeFirst();
        if (result.numUpdatedRows === 0n) return false;
        await replaceCodes(db, row.userId, codeHashes);
        return true;
      }),
    async takeTotpStep(userId, step) {
      const result = await kysely
        .updateTable('user_totp')
        .set({ last_step: step })
        .where('user_id', '=', userId)
        .where('last_step', '<', step)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    deleteTotp: (userId) =>
      database.write(async ({ db }) => {
        const result = await db.deleteFrom('user_totp').where('user_id', '=', userId).executeTakeFirst();
        await dropOrphanedCodes(db, userId);
        return result.numDeletedRows > 0n;
      }),
  };
}

function recoveryCodes(database: StoreDatabase): RecoveryCodes {
  const { kysely } = database;
  return {
    async takeRecoveryCode(userId, codeHash, nowMs) {
      const result = await kysely
        .updateTable('recovery_code')
        .set({ used_at_ms: nowMs })
        .where('user_id', '=', userId)
        .where('code_hash', '=', codeHash)
        .where('used_at_ms', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    replaceRecoveryCodes: (userId, codeHashes) =>
      database.write(({ db }) => replaceCodes(db, userId, codeHashes)),
    async countRecoveryCodes(userId) {
      const row = await kysely
        .selectFrom('recovery_code')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('user_id', '=', userId)
        .where('used_at_ms', 'is', null)
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
  };
}

function sessionLists(database: StoreDatabase): SessionLists {
  const { kysely } = database;
  return {
    async listSessions(userId) {
      let query = kysely.selectFrom('session').selectAll();
      if (userId !== null) query = query.where('user_id', '=', userId);
      const rows = await query.orderBy('last_seen_at_ms', 'desc').orderBy('id_hash').execute();
      return rows.map(sessionRow);
    },
    endSessions: (userId, keepIdHash) =>
      database.write(async ({ db }) => {
        const rows = await db.selectFrom('session').select('id_hash').where('user_id', '=', userId).execute();
        const ended = rows.map((row) => row.id_hash).filter((idHash) => idHash !== keepIdHash);
        let query = db.deleteFrom('session').where('user_id', '=', userId);
        if (keepIdHash !== null) query = query.where('id_hash', '!=', keepIdHash);
        await query.execute(); // also one that began after the reading
        return ended;
      }),
    async endAllSessions() {
      await kysely.deleteFrom('session').execute();
    },
    async takeSecondFactorTry(idHash) {
      const result = await kysely
        .updateTable('session')
        .set((eb) => ({ second_factor_tries: eb('second_factor_tries', '-', 1) }))
        .where('id_hash', '=', idHash)
        .where('second_factor_tries', '>', 0)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { PasskeyRow, PasskeyStore } from '../ports/passkeys.ts';
import type { Schema } from '../schema.ts';
import type { PasskeyTable } from '../tables/people-tables.ts';
import { dropOrphanedCodes, hasSecondFactor, replaceCodes } from './second-factor.ts';

function passkeyRow(row: PasskeyTable): PasskeyRow {
  return {
    id: row.id,
    userId: row.user_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    signCount: row.sign_count,
    transports: JSON.parse(row.transports) as string[],
    rpId: row.rp_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

async function insert(db: Kysely<Schema>, row: PasskeyRow): Promise<void> {
  const values: PasskeyTable = {
    id: row.id,
    user_id: row.userId,
    credential_id: row.credentialId,
    public_key: row.publicKey,
    sign_count: row.signCount,
    transports: JSON.stringify(row.transports),
    rp_id: row.rpId,
    name: row.name,
    created_at_ms: row.createdAtMs,
    last_used_at_ms: row.lastUsedAtMs,
  };
  await db.insertInto('passkey').values(values).execute();
}

/** Passkeys, and what holds for second factors of every kind. */
export function createPasskeyStore(database: StoreDatabase): PasskeyStore {
  return { ...reads(database), ...writes(database) };
}

type Reads = Pick<PasskeyStore, 'listPasskeys' | 'findPasskey' | 'hasSecondFactor'>;

function reads({ kysely }: StoreDatabase): Reads {
  return {
    async listPasskeys(userId) {
      const rows = await kysely
        .selectFrom('passkey')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('created_at_ms')
        .orderBy('id')
        .execute();
      return rows.map(passkeyRow);
    },
    async findPasskey(id) {
      const row = await kysely.selectFrom('passkey').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : passkeyRow(row);
    },
    hasSecondFactor: (userId) => hasSecondFactor(kysely, userId),
  };
}

function writes(database: StoreDatabase): Omit<PasskeyStore, keyof Reads> {
  const { kysely } = database;
  return {
    async insertPasskey(row, codeHashes) {
      try {
        await database.write(async ({ db }) => {
          await insert(db, row);
          if (codeHashes !== null) await replaceCodes(db, row.userId, codeHashes);
        });
        return true;
      } catch (error) {
        if (database.dialect.isUniqueViolation(error)) return false;
        throw error;
      }
    },
    async renamePasskey(userId, id, name) {
      const result = await kysely
        .updateTable('passkey')
        .set({ name })
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async usePasskey(row, { signCount, atMs }) {
      const result = await kysely
        .updateTable('passkey')
        .set({ sign_count: signCount, last_used_at_ms: atMs })
        .where('id', '=', row.id)
        .where('sign_count', '=', row.signCount)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async spendChallenge(id, { nowMs, expiresAtMs }) {
      await kysely.deleteFrom('spent_challenge').where('expires_at_ms', '<=', nowMs).execute();
      try {
        await kysely.insertInto('spent_challenge').values({ id, expires_at_ms: expiresAtMs }).execute();
        return true;
      } catch (error) {
        if (database.dialect.isUniqueViolation(error)) return false;
        throw error;
      }
    },
    deletePasskey: (userId, id) =>
      database.write(async ({ db }) => {
        const result = await db
          .deleteFrom('passkey')
          .where('id', '=', id)
          .where('user_id', '=', userId)
          .executeTakeFirst();
        await dropOrphanedCodes(db, userId);
        return result.numDeletedRows > 0n;
      }),
    deleteSecondFactors: (userId) =>
      database.write(async ({ db }) => {
        const app = await db.deleteFrom('user_totp').where('user_id', '=', userId).executeTakeFirst();
        const passkeys = await db.deleteFrom('passkey').where('user_id', '=', userId).executeTakeFirst();
        await dropOrphanedCodes(db, userId);
        return app.numDeletedRows + passkeys.numDeletedRows > 0n;
      }),
  };
}

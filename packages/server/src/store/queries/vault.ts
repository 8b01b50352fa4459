import type { StoreDatabase } from '../dialect.ts';
import {
  type SealedValueRow,
  USER_HASH_SETTING,
  type VaultStore,
  type WrappedDataKeyRow,
} from '../ports/vault.ts';
import type { VaultDataKeyTable } from '../tables/config-tables.ts';

/** The setting that proves that the keys in use open what is stored. */
const CHECK_SETTING = 'vault_check';

/** One kind of place that sealed values live in. A new one gets a line in `SEALED_PLACES`, and rotation reaches it. */
interface SealedPlace {
  table: string;
  column: string;
  list(database: StoreDatabase): Promise<{ row: string; text: string | null }[]>;
  replace(database: StoreDatabase, value: SealedValueRow, text: string): Promise<boolean>;
}

const changedOne = (result: { numUpdatedRows: bigint }): boolean => result.numUpdatedRows > 0n;

const SEALED_PLACES: readonly SealedPlace[] = [
  {
    table: 'account',
    column: 'credential',
    list: ({ kysely }) =>
      kysely
        .selectFrom('account')
        .select(['id as row', 'sealed_credential as text'])
        .where('sealed_credential', 'is not', null)
        .orderBy('id')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('account')
          .set({ sealed_credential: sealed })
          .where('id', '=', at.row)
          .where('sealed_credential', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
  {
    table: 'user_totp',
    column: 'secret',
    list: ({ kysely }) =>
      kysely
        .selectFrom('user_totp')
        .select(['user_id as row', 'sealed_secret as text'])
        .orderBy('user_id')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('user_totp')
          .set({ sealed_secret: sealed })
          .where('user_id', '=', at.row)
          .where('sealed_secret', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
  {
    table: 'account_oauth',
    column: 'secrets',
    list: ({ kysely }) =>
      kysely
        .selectFrom('account_oauth')
        .select(['account_id as row', 'sealed_secrets as text'])
        .orderBy('account_id')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('account_oauth')
          .set({ sealed_secrets: sealed })
          .where('account_id', '=', at.row)
          .where('sealed_secrets', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
  {
    table: 'oauth_session',
    column: 'payload',
    list: ({ kysely }) =>
      kysely
        .selectFrom('oauth_session')
        .select(['id as row', 'sealed_payload as text'])
        .orderBy('id')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('oauth_session')
          .set({ sealed_payload: sealed })
          .where('id', '=', at.row)
          .where('sealed_payload', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
  {
    table: 'alert_channel',
    column: 'secret',
    list: ({ kysely }) =>
      kysely
        .selectFrom('alert_channel')
        .select(['id as row', 'sealed_secret as text'])
        .where('sealed_secret', 'is not', null)
        .orderBy('id')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('alert_channel')
          .set({ sealed_secret: sealed })
          .where('id', '=', at.row)
          .where('sealed_secret', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
  {
    table: 'setting',
    column: 'value',
    list: ({ kysely }) =>
      kysely
        .selectFrom('setting')
        .select(['name as row', 'value as text'])
        .where('name', 'in', [CHECK_SETTING, USER_HASH_SETTING])
        .orderBy('name')
        .execute(),
    replace: async ({ kysely }, { at, text }, sealed) =>
      changedOne(
        await kysely
          .updateTable('setting')
          .set({ value: sealed })
          .where('name', '=', at.row)
          .where('value', '=', text)
          .executeTakeFirstOrThrow(),
      ),
  },
];

const toRow = (row: VaultDataKeyTable): WrappedDataKeyRow => ({
  id: row.id,
  masterKeyId: row.master_key_id,
  wrapped: row.wrapped,
  createdAtMs: row.created_at_ms,
});

function sealedValues(database: StoreDatabase): Pick<VaultStore, 'listSealed' | 'replaceSealed'> {
  return {
    async listSealed() {
      const found: SealedValueRow[] = [];
      for (const { table, column, list } of SEALED_PLACES) {
        for (const { row, text } of await list(database))
          if (text !== null) found.push({ at: { table, row, column }, text });
      }
      return found;
    },
    async replaceSealed(value, text) {
      const { table, column } = value.at;
      const place = SEALED_PLACES.find((one) => one.table === table && one.column === column);
      return place === undefined ? false : place.replace(database, value, text);
    },
  };
}

/** What the vault keeps: wrapped data keys, and the way to every sealed value. */
export function createVaultStore(database: StoreDatabase): VaultStore {
  const { kysely } = database;
  return {
    ...sealedValues(database),
    listDataKeys: async () =>
      (
        await kysely.selectFrom('vault_data_key').selectAll().orderBy('created_at_ms').orderBy('id').execute()
      ).map(toRow),
    async insertDataKeys(rows) {
      await database.write(async ({ db }) => {
        for (const row of rows) {
          const present = await db
            .selectFrom('vault_data_key')
            .select('id')
            .where('id', '=', row.id)
            .where('master_key_id', '=', row.masterKeyId)
            .executeTakeFirst();
          if (present !== undefined) continue;
          const values = {
            id: row.id,
            master_key_id: row.masterKeyId,
            wrapped: row.wrapped,
            created_at_ms: row.createdAtMs,
          };
          await db.insertInto('vault_data_key').values(values).execute();
        }
      });
    },
    async deleteDataKeys(ids) {
      if (ids.length > 0)
        await kysely
          .deleteFrom('vault_data_key')
          .where('id', 'in', [...ids])
          .execute();
    },
    async deleteWrappings(masterKeyIds) {
      if (masterKeyIds.length === 0) return;
      await kysely
        .deleteFrom('vault_data_key')
        .where('master_key_id', 'in', [...masterKeyIds])
        .execute();
    },
  };
}

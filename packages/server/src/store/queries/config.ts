import type { DisconnectPolicy, Environment } from '@tallygate/contract/api/projects';
import type { StoreDatabase } from '../dialect.ts';
import type { AccountRow, ConfigStore, PriceOverrideRow, ProjectRow } from '../store.ts';
import type { AccountTable } from '../tables/account-tables.ts';
import type { PriceOverrideTable, ProjectTable } from '../tables/config-tables.ts';
import { createKeyQueries, type KeyQueries } from './keys.ts';
import { defined, listOwned, unlessTaken, updateOwned } from './row-changes.ts';
import { createWorkspaceQueries, projectValues, type WorkspaceQueries } from './workspaces.ts';

type Projects = Pick<ConfigStore, 'listProjects' | 'insertProject' | 'updateProject'>;
type Accounts = Pick<ConfigStore, 'listAccounts' | 'insertAccount' | 'updateAccount' | 'deleteAccount'>;
type Settings = Omit<
  ConfigStore,
  keyof WorkspaceQueries | keyof Projects | keyof KeyQueries | keyof Accounts
>;

/** Everything small that the in-memory snapshot is built from. */
export function createConfigStore(database: StoreDatabase): ConfigStore {
  return {
    ...createWorkspaceQueries(database),
    ...projects(database),
    ...createKeyQueries(database),
    ...accounts(database),
    ...settings(database),
  };
}

const flag = (value: boolean | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

function projects(database: StoreDatabase): Projects {
  const { kysely } = database;
  const toRow = (row: ProjectTable): ProjectRow => ({
    id: row.id,
    workspaceId: row.workspace_id,
    slug: row.slug,
    name: row.name,
    disconnectPolicy: row.disconnect_policy as DisconnectPolicy,
    environment: row.environment as Environment,
    createdAtMs: row.created_at_ms,
  });
  return {
    listProjects: async (workspaceId) => (await listOwned(database, 'project', workspaceId)).map(toRow),
    insertProject: (row) =>
      unlessTaken(database, `A project with the slug "${row.slug}" exists.`, () =>
        kysely.insertInto('project').values(projectValues(row)).execute(),
      ),
    updateProject: (ref, change) =>
      updateOwned(
        database,
        'project',
        ref,
        defined({
          name: change.name,
          disconnect_policy: change.disconnectPolicy,
          environment: change.environment,
        }),
      ),
  };
}

const listOf = (text: string | null): string[] => (text === null ? [] : (JSON.parse(text) as string[]));
const listText = (list: readonly string[]): string | null =>
  list.length === 0 ? null : JSON.stringify(list);

function accountRow(row: AccountTable): AccountRow {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    provider: row.provider,
    preset: row.preset,
    baseUrl: row.base_url,
    sealedCredential: row.sealed_credential,
    credentialHint: row.credential_hint,
    allowPrivateUpstream: row.allow_private_upstream === 1,
    pinSha256: listOf(row.pin_sha256),
    models: JSON.parse(row.models) as string[],
    priority: row.priority,
    weight: row.weight,
    tier: row.tier,
    notes: row.notes,
    boundTo: listOf(row.bound_to),
    paused: row.paused === 1,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

function accountChange(change: Partial<AccountRow>): Partial<AccountTable> {
  return defined({
    name: change.name,
    preset: change.preset,
    base_url: change.baseUrl,
    sealed_credential: change.sealedCredential,
    credential_hint: change.credentialHint,
    allow_private_upstream: flag(change.allowPrivateUpstream),
    pin_sha256: change.pinSha256 === undefined ? undefined : listText(change.pinSha256),
    models: change.models === undefined ? undefined : JSON.stringify(change.models),
    priority: change.priority,
    weight: change.weight,
    tier: change.tier,
    notes: change.notes,
    bound_to: change.boundTo === undefined ? undefined : listText(change.boundTo),
    paused: flag(change.paused),
    last_used_at_ms: change.lastUsedAtMs,
  }) as Partial<AccountTable>;
}

function accounts(database: StoreDatabase): Accounts {
  const { kysely } = database;
  return {
    listAccounts: async (workspaceId) => (await listOwned(database, 'account', workspaceId)).map(accountRow),
    insertAccount: (row) =>
      unlessTaken(database, `An account with the name "${row.name}" exists.`, () =>
        kysely
          .insertInto('account')
          .values({
            id: row.id,
            workspace_id: row.workspaceId,
            name: row.name,
            provider: row.provider,
            preset: row.preset,
            base_url: row.baseUrl,
            sealed_credential: row.sealedCredential,
            credential_hint: row.credentialHint,
            allow_private_upstream: Number(row.allowPrivateUpstream),
            pin_sha256: listText(row.pinSha256),
            models: JSON.stringify(row.models),
            priority: row.priority,
            weight: row.weight,
            tier: row.tier,
            notes: row.notes,
            bound_to: listText(row.boundTo),
            paused: Number(row.paused),
            created_at_ms: row.createdAtMs,
            last_used_at_ms: row.lastUsedAtMs,
          })
          .execute(),
      ),
    async updateAccount(ref, change) {
      let found = false;
      await unlessTaken(database, `An account with the name "${change.name}" exists.`, async () => {
        found = await updateOwned(database, 'account', ref, accountChange(change));
      });
      return found;
    },
    async deleteAccount({ id, workspaceId }) {
      const result = await kysely
        .deleteFrom('account')
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

function overrideRow(row: PriceOverrideTable): PriceOverrideRow {
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    validFromMs: row.valid_from_ms,
    validToMs: row.valid_to_ms,
    ratesPicoUsd: JSON.parse(row.rates) as Record<string, string>,
    note: row.note,
    createdAtMs: row.created_at_ms,
  };
}

function settings(database: StoreDatabase): Settings {
  const { kysely } = database;
  return {
    listPriceOverrides: async () =>
      (
        await kysely.selectFrom('price_override').selectAll().orderBy('created_at_ms').orderBy('id').execute()
      ).map(overrideRow),
    async insertPriceOverride(row) {
      await kysely
        .insertInto('price_override')
        .values({
          id: row.id,
          provider: row.provider,
          model: row.model,
          valid_from_ms: row.validFromMs,
          valid_to_ms: row.validToMs,
          rates: JSON.stringify(row.ratesPicoUsd),
          note: row.note,
          created_at_ms: row.createdAtMs,
        })
        .execute();
    },
    async deletePriceOverride(id) {
      const result = await kysely.deleteFrom('price_override').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async getSetting(name) {
      const row = await kysely
        .selectFrom('setting')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.value ?? null;
    },
    async readTurns() {
      const row = await kysely
        .selectFrom('store_lock')
        .innerJoin('ledger_head', (join) => join.on('ledger_head.id', '=', 1))
        .select(['store_lock.turn', 'ledger_head.last_ledger_seq'])
        .where('store_lock.name', '=', 'config')
        .executeTakeFirstOrThrow();
      return { config: row.turn, ledger: row.last_ledger_seq };
    },
    async ensureSetting(name, value) {
      try {
        await kysely.insertInto('setting').values({ name, value }).execute();
        return value;
      } catch (error) {
        if (!database.dialect.isUniqueViolation(error)) throw error;
      }
      const row = await kysely
        .selectFrom('setting')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.value ?? value;
    },
    async setSetting(name, value) {
      const update = async () =>
        (await kysely.updateTable('setting').set({ value }).where('name', '=', name).executeTakeFirst())
          .numUpdatedRows > 0n;
      if (await update()) return;
      try {
        await kysely.insertInto('setting').values({ name, value }).execute();
      } catch (error) {
        if (!database.dialect.isUniqueViolation(error)) throw error;
        await update(); // somebody else inserted it in between; the last one wins
      }
    },
  };
}

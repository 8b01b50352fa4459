import type { StoreDatabase } from '../dialect.ts';
import type { ConfigStore, ProjectRow, WorkspaceRow } from '../store.ts';
import type { ProjectTable, WorkspaceTable } from '../tables/config-tables.ts';
import { defined, unlessTaken } from './row-changes.ts';

export type WorkspaceQueries = Pick<
  ConfigStore,
  'ensureWorkspace' | 'listWorkspaces' | 'insertWorkspace' | 'updateWorkspace'
>;

const workspaceRow = (row: WorkspaceTable): WorkspaceRow => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  allowedAddresses: row.allowed_addresses === null ? [] : (JSON.parse(row.allowed_addresses) as string[]),
  createdAtMs: row.created_at_ms,
});

const listText = (list: readonly string[]): string | null =>
  list.length === 0 ? null : JSON.stringify(list);

const workspaceValues = (row: WorkspaceRow): WorkspaceTable => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  allowed_addresses: listText(row.allowedAddresses),
  created_at_ms: row.createdAtMs,
});

/** The columns of a project. */
export const projectValues = (row: ProjectRow): ProjectTable => ({
  id: row.id,
  workspace_id: row.workspaceId,
  slug: row.slug,
  name: row.name,
  disconnect_policy: row.disconnectPolicy,
  environment: row.environment,
  created_at_ms: row.createdAtMs,
});

/** Workspaces: none is ever removed, because the ledger refers to them. */
export function createWorkspaceQueries(database: StoreDatabase): WorkspaceQueries {
  const { kysely } = database;
  const oldestFirst = () => kysely.selectFrom('workspace').selectAll().orderBy('created_at_ms').orderBy('id');
  return {
    async ensureWorkspace(wanted) {
      if ((await oldestFirst().executeTakeFirst()) === undefined) {
        await database.write(async ({ db }) => {
          await db
            .updateTable('store_lock')
            .set((eb) => ({ turn: eb('turn', '+', 1) }))
            .where('name', '=', 'first_user')
            .execute();
          const present = await db.selectFrom('workspace').select('id').executeTakeFirst();
          if (present !== undefined) return;
          await db.insertInto('workspace').values(workspaceValues(wanted)).execute();
        });
      }
      const row = await oldestFirst().executeTakeFirst();
      return row === undefined ? wanted : workspaceRow(row);
    },
    listWorkspaces: async () => (await oldestFirst().execute()).map(workspaceRow),
    insertWorkspace: (row, project) =>
      unlessTaken(database, `A workspace with the slug "${row.slug}" exists.`, () =>
        database.write(async ({ db }) => {
          await db.insertInto('workspace').values(workspaceValues(row)).execute();
          await db.insertInto('project').values(projectValues(project)).execute();
        }),
      ),
    async updateWorkspace(id, { name, allowedAddresses }) {
      const set = defined({
        name,
        allowed_addresses: allowedAddresses === undefined ? undefined : listText(allowedAddresses),
      });
      if (Object.keys(set).length === 0) return (await oldestFirst().execute()).some((row) => row.id === id);
      const result = await kysely.updateTable('workspace').set(set).where('id', '=', id).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

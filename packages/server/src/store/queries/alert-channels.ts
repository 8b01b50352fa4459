import type { AlertTemplate, ChannelKind } from '@tallygate/contract/api/alerts';
import type { StoreDatabase } from '../dialect.ts';
import type { AlertChannelRow, AlertStore } from '../ports/alerts.ts';
import type { AlertChannelTable } from '../tables/alert-tables.ts';
import { defined, unlessTaken } from './row-changes.ts';

type Channels = Pick<
  AlertStore,
  'listAlertChannels' | 'insertAlertChannel' | 'updateAlertChannel' | 'deleteAlertChannel'
>;

/** A stored channel. */
export const channelRow = (row: AlertChannelTable): AlertChannelRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  kind: row.kind as ChannelKind,
  config: row.config,
  sealedSecret: row.sealed_secret,
  destination: row.destination,
  allowPrivate: row.allow_private === 1,
  template: row.template === null ? null : (JSON.parse(row.template) as AlertTemplate),
  enabled: row.enabled === 1,
  createdAtMs: row.created_at_ms,
});

const templateText = (template: AlertTemplate | null | undefined): string | null | undefined =>
  template === undefined || template === null ? template : JSON.stringify(template);
const flag = (value: boolean | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

function channelValues(row: Partial<AlertChannelRow>): Partial<AlertChannelTable> {
  return defined({
    name: row.name,
    kind: row.kind,
    config: row.config,
    sealed_secret: row.sealedSecret,
    destination: row.destination,
    allow_private: flag(row.allowPrivate),
    template: templateText(row.template),
    enabled: flag(row.enabled),
  }) as Partial<AlertChannelTable>;
}

/** Where alerts go. */
export function createAlertChannelQueries(database: StoreDatabase): Channels {
  const { kysely } = database;
  const taken = (name: string | undefined): string => `A channel with the name "${name}" exists.`;
  return {
    async listAlertChannels(workspaceId) {
      const all = kysely.selectFrom('alert_channel').selectAll().orderBy('created_at_ms').orderBy('id');
      const rows = await (workspaceId === null ? all : all.where('workspace_id', '=', workspaceId)).execute();
      return rows.map(channelRow);
    },
    insertAlertChannel(row) {
      const fixed = { id: row.id, workspace_id: row.workspaceId, created_at_ms: row.createdAtMs };
      const values = { ...(channelValues(row) as AlertChannelTable), ...fixed };
      return unlessTaken(database, taken(row.name), () =>
        kysely.insertInto('alert_channel').values(values).execute(),
      );
    },
    async updateAlertChannel(id, change) {
      const set = channelValues(change);
      let found = false;
      await unlessTaken(database, taken(change.name), async () => {
        if (Object.keys(set).length === 0) {
          const rows = await kysely.selectFrom('alert_channel').select('id').where('id', '=', id).execute();
          found = rows.length > 0;
          return;
        }
        const result = await kysely
          .updateTable('alert_channel')
          .set(set)
          .where('id', '=', id)
          .executeTakeFirst();
        found = result.numUpdatedRows > 0n;
      });
      return found;
    },
    async deleteAlertChannel(id) {
      const result = await kysely.deleteFrom('alert_channel').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

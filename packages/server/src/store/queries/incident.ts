import type { StoreDatabase } from '../dialect.ts';
import { type IncidentStore, PAUSE_SETTING, type TrafficPause } from '../ports/incident.ts';

/** Acts on all keys and all sessions. */
export function createIncidentStore(database: StoreDatabase): IncidentStore {
  return {
    revokeAllKeys: (atMs) =>
      database.write(async ({ db }) => {
        const keys = await db.selectFrom('api_key').select('id').where('revoked_at_ms', 'is', null).execute();
        await db
          .updateTable('api_key')
          .set({ revoked_at_ms: atMs })
          .where('revoked_at_ms', 'is', null)
          .execute();
        return keys.map((key) => key.id);
      }),
    endAllSessions: () =>
      database.write(async ({ db }) => {
        const sessions = await db.selectFrom('session').select('id_hash').execute();
        await db.deleteFrom('session').execute();
        return sessions.map((session) => session.id_hash);
      }),
    async readPause() {
      const row = await database.kysely
        .selectFrom('setting')
        .select('value')
        .where('name', '=', PAUSE_SETTING)
        .executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.value) as TrafficPause);
    },
    writePause: (pause) =>
      database.write(async ({ db }) => {
        await db.deleteFrom('setting').where('name', '=', PAUSE_SETTING).execute();
        if (pause === null) return;
        await db
          .insertInto('setting')
          .values({ name: PAUSE_SETTING, value: JSON.stringify(pause) })
          .execute();
      }),
  };
}

import type { StoreDatabase } from '../dialect.ts';
import type { IncidentStore } from '../ports/incident.ts';

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
  };
}

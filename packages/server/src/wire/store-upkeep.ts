import type { Config } from '../config/settings.ts';
import { AppError } from '../kernel/errors.ts';
import { prepareDataDir } from './base.ts';
import { engineFor } from './engines.ts';

/**
 * Brings the schema of the configured store up to this program, without a server.
 * @throws Error when the schema is newer, the role may not, or a migration fails
 */
export async function migrateStore(config: Config): Promise<{ applied: string[]; schemaVersion: number }> {
  prepareDataDir(config);
  const url = config.dbUrl.reveal();
  const store = await (await engineFor(url)).open(url, { role: 'main' });
  try {
    return await store.migrate();
  } finally {
    await store.close();
  }
}

/**
 * SQL that makes a role for a running server which may not change the schema.
 * @throws AppError `invalid_request` where the engine knows no roles, or for a name that is none
 */
export async function storeRoleSql(config: Config, asked: { role: string; schema: string }): Promise<string> {
  const url = config.dbUrl.reveal();
  const { leastRoleSql } = await engineFor(url);
  if (leastRoleSql !== undefined) return leastRoleSql(url, asked);
  throw new AppError('invalid_request', {
    detail: 'The configured store is a file and has no roles. Name the database: --db-url postgres://…',
  });
}

import type { Kysely } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';

/**
 * One step of the schema, the same for all engines. A step that was released is never edited: it spells out its
 * tables itself and shares nothing with the current schema that could change under it.
 */
export interface Migration {
  version: number;
  name: string;
  up(db: Kysely<Schema>, dialect: SqlDialect): Promise<void>;
}

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { StoreDatabase, WriteTransaction } from '../dialect.ts';
import type { RedactionQuery, RedactionStore } from '../ports/redaction.ts';
import type { Schema } from '../schema.ts';

/** Rows of one transaction: what else wants to write waits no longer than for these. */
const BATCH_ROWS = 200;

interface FoundRow {
  ledger_seq: number;
  started_at_ms: number;
  tags: string | null;
}

/** Takes out of rows what tells who made them (TW-12). */
export function createRedactionStore(database: StoreDatabase): RedactionStore {
  return {
    async countRedactable(query) {
      const { rows } = await sql<{ found: number }>`
        select count(*) as found from ${matching(query)}`.execute(database.kysely);
      return Number(rows[0]?.found ?? 0);
    },
    async redact(query) {
      let redacted = 0;
      for (;;) {
        const rows = await nextRows(database.kysely, query);
        if (rows.length === 0) break;
        await database.write((transaction) => strip(transaction, rows, query.by));
        redacted += rows.length;
      }
      await database.dialect.forgetErased(database.kysely);
      return redacted;
    },
  };
}

/** A row that was redacted matches no more: there is always a first batch, until there is none. */
async function nextRows(db: Kysely<Schema>, query: RedactionQuery): Promise<FoundRow[]> {
  const { rows } = await sql<FoundRow>`
    select e.ledger_seq, e.started_at_ms, e.tags from ${matching(query)} limit ${BATCH_ROWS}`.execute(db);
  return rows;
}

/** From `from` to the last condition. */
function matching({ workspaceId, by, fromMs, toMs }: RedactionQuery): RawBuilder<unknown> {
  const parts = [sql`s.id = e.series_id`, sql`s.workspace_id = ${workspaceId}`];
  if (fromMs !== null) parts.push(sql`e.started_at_ms >= ${fromMs}`);
  if (toMs !== null) parts.push(sql`e.started_at_ms < ${toMs}`);
  if (by.kind === 'tag') parts.push(sql`t.tag = ${by.value}`, sql`e.ledger_seq = t.ledger_seq`);
  if (by.kind === 'session') parts.push(sql`e.session_id = ${by.value}`);
  if (by.kind === 'request')
    parts.push(
      sql`(e.id = ${by.value} or e.parent_id = ${by.value})`,
      sql`(e.session_id is not null or e.conversation_id is not null or e.tags is not null)`,
    );
  const tags = by.kind === 'tag' ? sql`event_tag as t cross join` : sql``;
  return sql`${tags} usage_event as e cross join usage_series as s where ${sql.join(parts, sql` and `)}`;
}

async function strip(
  { db }: WriteTransaction,
  rows: readonly FoundRow[],
  by: RedactionQuery['by'],
): Promise<void> {
  const byTag = new Map<string, readonly FoundRow[]>(by.kind === 'tag' ? [[by.value, rows]] : []);
  for (const row of rows) {
    for (const tag of row.tags === null ? [] : (JSON.parse(row.tags) as string[]))
      if (by.kind !== 'tag' || tag !== by.value) byTag.set(tag, [...(byTag.get(tag) ?? []), row]);
  }
  const sequences = (of: readonly FoundRow[]): number[] => of.map((row) => row.ledger_seq);
  for (const [tag, tagged] of byTag) {
    const times = tagged.map((row) => row.started_at_ms);
    // The times are part of the key: without them an engine would walk all rows of the tag.
    await db
      .deleteFrom('event_tag')
      .where('tag', '=', tag)
      .where('started_at_ms', '>=', Math.min(...times))
      .where('started_at_ms', '<=', Math.max(...times))
      .where('ledger_seq', 'in', sequences(tagged))
      .execute();
  }
  await db
    .updateTable('usage_event')
    .set({ session_id: null, conversation_id: null, tags: null })
    .where('ledger_seq', 'in', sequences(rows))
    .execute();
}

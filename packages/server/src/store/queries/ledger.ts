import { detailKeyOf, ROLLUP_STEPS, type RollupCell, rollUp } from '../../accounting/rollup.ts';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import type { RollupAddition, StoreDatabase, Value, WriteTransaction } from '../dialect.ts';
import type { LedgerCheckpoint, LedgerStore } from '../store.ts';
import { addAccountHours } from './account-hours.ts';
import {
  ATTEMPT_ROWS,
  attemptValues,
  EVENT_TAG_ROWS,
  eventValues,
  USAGE_EVENT_ROWS,
} from './event-columns.ts';
import { rollupAddition } from './rollup-columns.ts';
import { SeriesNumbers, seriesIn } from './series.ts';
import { storable } from './storable-event.ts';

const ID_CHUNK = 500;

/** Writes the ledger. One object per connection: it remembers series between commits. */
export function createLedgerStore(database: StoreDatabase): LedgerStore {
  const series = new SeriesNumbers();
  return {
    rowsPerCommit: database.dialect.ledgerRowsPerCommit,
    readCheckpoint: (nodeId) => readCheckpoint(database, nodeId),
    async commit(events, checkpoint) {
      const distinct = new Map<string, UsageEvent>();
      for (const event of events) {
        const row = storable(event);
        if (!distinct.has(row.id)) distinct.set(row.id, row);
      }
      const rows = [...distinct.values()];
      const commitOnce = (checkExisting: boolean) =>
        database.write((transaction) => commitRows(transaction, { rows, checkpoint, series, checkExisting }));
      let inserted: number;
      try {
        inserted = await commitOnce(false);
      } catch (error) {
        // Replays are rare, so a batch is taken to be new until the engine says that some of it is not.
        if (!database.dialect.isUniqueViolation(error)) throw error;
        inserted = await commitOnce(true);
      }
      series.publish();
      return { inserted };
    },
  };
}

async function readCheckpoint(database: StoreDatabase, nodeId: string): Promise<LedgerCheckpoint | null> {
  const row = await database.kysely
    .selectFrom('ledger_checkpoint')
    .selectAll()
    .where('node_id', '=', nodeId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    nodeId: row.node_id,
    committed: { segment: row.segment, offset: row.segment_offset },
    lowWaterSegment: row.low_water_segment,
  };
}

interface CommitWork {
  rows: readonly UsageEvent[];
  checkpoint: LedgerCheckpoint;
  series: SeriesNumbers;
  checkExisting: boolean;
}

async function commitRows(transaction: WriteTransaction, work: CommitWork): Promise<number> {
  let rows = work.rows;
  if (rows.length > 0) {
    const lastSeq = await takeSequence(transaction, rows.length);
    if (work.checkExisting) rows = await withoutExisting(transaction, rows);
    if (rows.length > 0) await writeRows(transaction, { rows, series: work.series, firstSeq: lastSeq + 1 });
  }
  await writeCheckpoint(transaction, work.checkpoint);
  return rows.length;
}

/** Reserves sequence numbers and holds the ledger head until the transaction ends; returns the last one used. */
async function takeSequence({ db }: WriteTransaction, count: number): Promise<number> {
  await db
    .updateTable('ledger_head')
    .set((eb) => ({ last_ledger_seq: eb('last_ledger_seq', '+', count) }))
    .where('id', '=', 1)
    .execute();
  const head = await db.selectFrom('ledger_head').select('last_ledger_seq').executeTakeFirstOrThrow();
  return head.last_ledger_seq - count;
}

async function withoutExisting(
  { db }: WriteTransaction,
  rows: readonly UsageEvent[],
): Promise<readonly UsageEvent[]> {
  const present = new Set<string>();
  const ids = rows.map((row) => row.id);
  for (let i = 0; i < ids.length; i += ID_CHUNK) {
    const found = await db
      .selectFrom('usage_event')
      .select('id')
      .where('id', 'in', ids.slice(i, i + ID_CHUNK))
      .execute();
    for (const row of found) present.add(row.id);
  }
  return rows.filter((row) => !present.has(row.id));
}

interface NumberedRows {
  rows: readonly UsageEvent[];
  /** `ledger_seq` of the first; the others follow. */
  firstSeq: number;
}

/** Values are made when the engine takes them, so that those of a whole batch are never there at once. */
function* eventRows(
  { rows, firstSeq }: NumberedRows,
  numbers: ReadonlyMap<string, number>,
): Generator<Value[]> {
  let seq = firstSeq;
  for (const event of rows) yield eventValues(event, seq++, numbers.get(detailKeyOf(event)) ?? 0);
}

function* attemptRows({ rows, firstSeq }: NumberedRows): Generator<Value[]> {
  let seq = firstSeq;
  for (const event of rows) {
    for (const attempt of event.attempts) yield attemptValues(attempt, seq);
    seq += 1;
  }
}

function* tagRows({ rows, firstSeq }: NumberedRows): Generator<Value[]> {
  let seq = firstSeq;
  for (const event of rows) {
    for (const tag of event.tags) yield [tag, event.startedAtMs, seq];
    seq += 1;
  }
}

async function writeRows(
  transaction: WriteTransaction,
  work: NumberedRows & { series: SeriesNumbers },
): Promise<void> {
  const cells = rollUp(work.rows);
  const numbers = await work.series.resolve(transaction, seriesIn(cells));
  const { bulk } = transaction;
  await bulk.insert(USAGE_EVENT_ROWS, eventRows(work, numbers));
  await bulk.insert(ATTEMPT_ROWS, attemptRows(work));
  await bulk.insert(EVENT_TAG_ROWS, tagRows(work));
  await addCells(transaction, cells, numbers);
  await addAccountHours(transaction, work.rows);
  await raiseLastUsed(transaction, work.rows);
}

/** Adds cells to the rollups, in key order: neighbours in the table are written together. */
export async function addCells(
  { bulk }: WriteTransaction,
  cells: readonly RollupCell[],
  numbers: ReadonlyMap<string, number>,
): Promise<void> {
  for (const step of ROLLUP_STEPS) {
    const additions: RollupAddition[] = [];
    for (const cell of cells) {
      if (cell.step !== step) continue;
      additions.push(rollupAddition(cell, numbers.get(cell.seriesKey) ?? 0));
    }
    additions.sort((a, b) => a.seriesId - b.seriesId || a.bucketMs - b.bucketMs);
    await bulk.addRollups(step, additions);
  }
}

async function raiseLastUsed({ bulk }: WriteTransaction, rows: readonly UsageEvent[]): Promise<void> {
  const keys = new Map<string, number>();
  const accounts = new Map<string, number>();
  for (const row of rows) {
    if (row.apiKeyId !== null) keys.set(row.apiKeyId, Math.max(keys.get(row.apiKeyId) ?? 0, row.startedAtMs));
    if (row.accountId !== null) {
      accounts.set(row.accountId, Math.max(accounts.get(row.accountId) ?? 0, row.startedAtMs));
    }
  }
  await bulk.raiseLastUsed('api_key', keys);
  await bulk.raiseLastUsed('account', accounts);
}

async function writeCheckpoint({ db }: WriteTransaction, checkpoint: LedgerCheckpoint): Promise<void> {
  const progress = {
    segment: checkpoint.committed.segment,
    segment_offset: checkpoint.committed.offset,
    low_water_segment: checkpoint.lowWaterSegment,
  };
  const updated = await db
    .updateTable('ledger_checkpoint')
    .set(progress)
    .where('node_id', '=', checkpoint.nodeId)
    .executeTakeFirst();
  if (updated.numUpdatedRows > 0n) return;
  await db
    .insertInto('ledger_checkpoint')
    .values({ node_id: checkpoint.nodeId, ...progress })
    .execute();
}

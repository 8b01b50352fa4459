import type { Kysely } from 'kysely';
import { encodeBins, sortedBins } from '../../accounting/latency-histogram.ts';
import { DAY_MS, type RollupCell, type Series, seriesKeyOf } from '../../accounting/rollup.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { MaintenanceStore } from '../ports/maintenance.ts';
import type { AccountHourRow } from '../ports/pool.ts';
import type { Schema } from '../schema.ts';
import { hoursFromRows, replaceHours, storedHours } from './account-hour-days.ts';
import { writeBackup } from './backup.ts';
import { addCells } from './ledger.ts';
import { createRedactionStore } from './redaction.ts';
import {
  cellsFromRows,
  daysOf,
  deleteCells,
  MEASURE_NAMES,
  type StoredCell,
  storedCells,
} from './rollup-days.ts';
import { listSeries, SeriesNumbers, seriesIn } from './series.ts';

/** Differences reported before the list ends; one broken day has thousands. */
const MAX_DIFFERENCES = 200;
type Difference = Awaited<ReturnType<MaintenanceStore['verifyRollups']>>['differences'][number];

/** Rollup repair and checks, and backup. */
export function createMaintenanceStore(database: StoreDatabase, nowMs: () => number): MaintenanceStore {
  return {
    ...createRedactionStore(database),
    rebuildRollups: (fromMs, toMs) => rebuild(database, fromMs, toMs),
    verifyRollups: (fromMs, toMs) => verify(database, fromMs, toMs),
    backup: (path) => writeBackup(database, path, nowMs()),
  };
}

/** Day by day, each in a transaction that holds the ledger head: a commit comes wholly before or wholly after. */
async function rebuild(database: StoreDatabase, fromMs: number | null, toMs: number | null) {
  const { dialect, kysely } = database;
  const days = await daysOf({ db: kysely, dialect }, fromMs, toMs);
  if (days === null) return { fromMs: fromMs ?? 0, toMs: toMs ?? 0, events: 0, rollupRows: 0 };
  let events = 0;
  let rollupRows = 0;
  for (let dayMs = days.firstMs; dayMs < days.endMs; dayMs += DAY_MS) {
    await database.write(async (transaction) => {
      const context = { db: transaction.db, dialect };
      await holdLedger(transaction.db);
      await deleteCells(context, dayMs);
      const found = await cellsFromRows(context, dayMs);
      // Not remembered between days: numbers made by a transaction that fails must not be.
      const numbers = await new SeriesNumbers().resolve(transaction, seriesIn(found.cells));
      await addCells(transaction, found.cells, numbers);
      const hours = await hoursFromRows(context, dayMs);
      await replaceHours(context, dayMs, hours);
      events += found.events;
      rollupRows += found.cells.length + hours.length;
    });
  }
  return { fromMs: days.firstMs, toMs: days.endMs, events, rollupRows };
}

async function holdLedger(db: Kysely<Schema>): Promise<void> {
  await db
    .updateTable('ledger_head')
    .set((eb) => ({ last_ledger_seq: eb('last_ledger_seq', '+', 0) }))
    .where('id', '=', 1)
    .execute();
}

async function verify(database: StoreDatabase, fromMs: number | null, toMs: number | null) {
  const { dialect, kysely } = database;
  const differences: Difference[] = [];
  let bucketsChecked = 0;
  const days = await daysOf({ db: kysely, dialect }, fromMs, toMs);
  for (let dayMs = days?.firstMs ?? 0; dayMs < (days?.endMs ?? 0); dayMs += DAY_MS) {
    const { rows, stored, series, hours, keptHours } = await database.snapshot(async (db) => ({
      rows: (await cellsFromRows({ db, dialect }, dayMs)).cells,
      stored: await storedCells({ db, dialect }, dayMs),
      series: await listSeries(db),
      hours: await hoursFromRows({ db, dialect }, dayMs),
      keptHours: await storedHours({ db, dialect }, dayMs),
    }));
    bucketsChecked += Math.max(rows.length, stored.length) + Math.max(hours.length, keptHours.length);
    differences.push(...compareDay(rows, stored, series));
    differences.push(...compareMaps(hourFields(keptHours), hourFields(hours)));
    if (differences.length >= MAX_DIFFERENCES) break;
  }
  return { bucketsChecked, differences: differences.slice(0, MAX_DIFFERENCES) };
}

type Fields = Map<string, string>;

function compareDay(
  rows: readonly RollupCell[],
  stored: readonly StoredCell[],
  series: ReadonlyMap<number, Series>,
): Difference[] {
  const fromRows = new Map<string, Fields>();
  for (const cell of rows) {
    const texts = { latencyBins: encodeBins(cell.latencyBins), ttftBins: encodeBins(cell.ttftBins) };
    fromRows.set(`${cell.step} ${cell.bucketMs} ${cell.seriesKey}`, fieldsOf({ ...cell, ...texts }));
  }
  const fromStore = new Map<string, Fields>();
  for (const cell of stored) {
    const one = series.get(cell.seriesId);
    const key = one === undefined ? `series ${cell.seriesId}` : seriesKeyOf(one);
    fromStore.set(`${cell.step} ${cell.bucketMs} ${key}`, fieldsOf(cell));
  }
  return compareMaps(fromStore, fromRows);
}

/** Hours of accounts by what tells them apart. */
function hourFields(hours: readonly AccountHourRow[]): Map<string, Fields> {
  return new Map(
    hours.map(({ accountId, poolId, bucketMs, ...sums }) => [
      `account-hour ${bucketMs} ${accountId}\u001f${poolId === '' ? '\u0000' : poolId}`,
      new Map(Object.entries(sums).map(([name, value]) => [name, String(value)])),
    ]),
  );
}

function compareMaps(
  fromStore: ReadonlyMap<string, Fields>,
  fromRows: ReadonlyMap<string, Fields>,
): Difference[] {
  const differences: Difference[] = [];
  for (const key of new Set([...fromRows.keys(), ...fromStore.keys()])) {
    differences.push(...compareFields(key, fromStore.get(key), fromRows.get(key)));
    if (differences.length >= MAX_DIFFERENCES) break;
  }
  return differences;
}

function fieldsOf(cell: Omit<StoredCell, 'seriesId' | 'step' | 'bucketMs'>): Fields {
  const fields: Fields = new Map(
    MEASURE_NAMES.map((name, index) => [name, String(cell.measures[index] ?? 0)]),
  );
  fields.set('costNanoUsd', String(cell.costNanoUsd));
  fields.set('latency', sortedBins(cell.latencyBins));
  fields.set('ttft', sortedBins(cell.ttftBins));
  return fields;
}

function compareFields(key: string, rollup: Fields | undefined, rows: Fields | undefined): Difference[] {
  const bucket = nameOf(key);
  if (rollup === undefined || rows === undefined) {
    const text = (fields: Fields | undefined): string => (fields === undefined ? 'absent' : 'present');
    return [{ bucket, field: 'row', rollup: text(rollup), rows: text(rows) }];
  }
  const differences: Difference[] = [];
  for (const [field, value] of rows) {
    const other = rollup.get(field) ?? '';
    if (other !== value) differences.push({ bucket, field, rollup: other, rows: value });
  }
  return differences;
}

/** `day 2026-11-22T00:00:00.000Z detail/…`: step, start and dimensions as people read them. */
function nameOf(key: string): string {
  const [step = '', bucketMs = '', ...rest] = key.split(' ');
  const dimensions = rest
    .join(' ')
    .split('\u001f')
    .map((part) => (part === '\u0000' ? '-' : part));
  return `${step} ${new Date(Number(bucketMs)).toISOString()} ${dimensions.join('/')}`;
}

import { createHash } from 'node:crypto';
import type { RequestStatus } from '@tallygate/contract/usage';
import type { Kysely } from 'kysely';
import type { Grain, RollupCell, Series } from '../../accounting/rollup.ts';
import type { WriteTransaction } from '../dialect.ts';
import type { Schema } from '../schema.ts';

/** Bound of the memory that known series take, roughly 300 bytes each. */
const MAX_KNOWN = 50_000;
const CHUNK = 500;

/**
 * Numbers of series, remembered between commits. A number becomes known only when the transaction that used it
 * has committed: call `publish` then, and nothing otherwise.
 */
export class SeriesNumbers {
  readonly #known = new Map<string, number>();
  #pending = new Map<string, number>();

  /** Number of every given series, creating what is missing. The caller holds the ledger head. */
  async resolve(
    transaction: WriteTransaction,
    series: ReadonlyMap<string, Series>,
  ): Promise<Map<string, number>> {
    this.#pending = new Map();
    const numbers = new Map<string, number>();
    const missing: string[] = [];
    for (const key of series.keys()) {
      const known = this.#known.get(key);
      if (known === undefined) missing.push(key);
      else numbers.set(key, known);
    }
    if (missing.length === 0) return numbers;
    const hashes = new Map(missing.map((key) => [hashOf(key), key]));
    for (const [hash, id] of await findSeries(transaction.db, [...hashes.keys()])) {
      const key = hashes.get(hash);
      if (key !== undefined) numbers.set(key, id);
    }
    await this.#create(
      transaction,
      missing.filter((key) => !numbers.has(key)),
      series,
      numbers,
    );
    for (const key of missing) this.#pending.set(key, numbers.get(key) ?? 0);
    return numbers;
  }

  async #create(
    transaction: WriteTransaction,
    keys: readonly string[],
    series: ReadonlyMap<string, Series>,
    numbers: Map<string, number>,
  ): Promise<void> {
    if (keys.length === 0) return;
    const { db } = transaction;
    await db
      .updateTable('ledger_head')
      .set((eb) => ({ last_series_id: eb('last_series_id', '+', keys.length) }))
      .where('id', '=', 1)
      .execute();
    const head = await db.selectFrom('ledger_head').select('last_series_id').executeTakeFirstOrThrow();
    let id = head.last_series_id - keys.length;
    const rows: ReturnType<typeof seriesRow>[] = [];
    for (const key of keys) {
      const one = series.get(key);
      if (one === undefined) continue;
      id += 1;
      numbers.set(key, id);
      rows.push(seriesRow(one, key, id));
    }
    for (let i = 0; i < rows.length; i += CHUNK) {
      await db
        .insertInto('usage_series')
        .values(rows.slice(i, i + CHUNK))
        .execute();
    }
  }

  publish(): void {
    if (this.#known.size + this.#pending.size > MAX_KNOWN) this.#known.clear();
    for (const [key, id] of this.#pending) this.#known.set(key, id);
    this.#pending = new Map();
  }
}

function hashOf(seriesKey: string): string {
  return createHash('sha256').update(seriesKey).digest('hex');
}

function seriesRow(series: Series, key: string, id: number) {
  const d = series.dimensions;
  return {
    id,
    series_hash: hashOf(key),
    grain: series.grain,
    workspace_id: d.workspaceId,
    project_id: d.projectId,
    api_key_id: d.apiKeyId,
    user_id: d.userId,
    source: d.source,
    provider: d.provider,
    account_id: d.accountId,
    model_served: d.modelServed,
    status: d.status,
  };
}

async function findSeries(db: Kysely<Schema>, hashes: readonly string[]): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for (let i = 0; i < hashes.length; i += CHUNK) {
    const rows = await db
      .selectFrom('usage_series')
      .select(['series_hash', 'id'])
      .where('series_hash', 'in', hashes.slice(i, i + CHUNK))
      .execute();
    for (const row of rows) found.push([row.series_hash, row.id]);
  }
  return found;
}

/** Reads every series back, with its number. */
export async function listSeries(db: Kysely<Schema>): Promise<Map<number, Series>> {
  const rows = await db.selectFrom('usage_series').selectAll().execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        grain: row.grain as Grain,
        dimensions: {
          workspaceId: row.workspace_id,
          projectId: row.project_id,
          apiKeyId: row.api_key_id,
          userId: row.user_id,
          source: row.source,
          provider: row.provider,
          accountId: row.account_id,
          modelServed: row.model_served,
          status: row.status as RequestStatus | null,
        },
      },
    ]),
  );
}

/** The series that cells are of, by key. */
export function seriesIn(cells: Iterable<RollupCell>): Map<string, Series> {
  const map = new Map<string, Series>();
  for (const cell of cells) map.set(cell.seriesKey, cell.series);
  return map;
}

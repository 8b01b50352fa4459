import { type Kysely, type RawBuilder, sql } from 'kysely';
import { DAY_MS } from '../../accounting/rollup.ts';
import { AppError } from '../../kernel/errors.ts';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { RequestPageQuery, StoredEvent } from '../store.ts';
import { readEvents } from './event-reads.ts';
import { conditionsOf, type DimensionCondition, grainOf, seriesCondition } from './usage-filter.ts';

/** Where a row stands in the list: newest start first, then highest ledger sequence. */
export interface RowPosition {
  startedAtMs: number;
  ledgerSeq: number;
}
export const MAX_PAGE = 500;
/** So many rows may be gathered and sorted; above it, the list walks the time index, which is sorted. */
const SORT_LIMIT = 2_000;
/** How far back the first look at the daily rollups goes, and how much further each next one. */
const FIRST_REACH_MS = 2 * DAY_MS;
const REACH_GROWTH = 8;

type Context = { db: Kysely<Schema>; dialect: SqlDialect };
type KeyRow = { ledger_seq: number; started_at_ms: number };

/** The rows of one request that are still wanted: below `before`, from `fromMs` on. */
export interface Window {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  before: RowPosition | null;
}

/** A cursor that `parseCursor` reads; opaque to clients. */
export function formatCursor(position: RowPosition): string {
  return Buffer.from(`${position.startedAtMs}.${position.ledgerSeq}`).toString('base64url');
}

/** @throws AppError `invalid_request` for a text that `formatCursor` never gave */
export function parseCursor(cursor: string): RowPosition {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) {
    throw new AppError('invalid_request', {
      detail: 'The cursor is not one that this server gave. Start again without a cursor.',
    });
  }
  return { startedAtMs: Number(match[1]), ledgerSeq: Number(match[2]) };
}

/**
 * One page of the request list by keyset: the cost of a page does not depend on how deep it is, and, because the
 * daily rollups say on which days there is anything to find, not on how rare the filter's matches are.
 */
export async function requestPage(
  context: Context,
  query: RequestPageQuery,
): Promise<{ events: StoredEvent[]; nextCursor: string | null }> {
  const limit = Math.min(Math.max(1, query.limit), MAX_PAGE);
  const before = query.cursor === null ? null : parseCursor(query.cursor);
  const window: Window = {
    fromMs: query.fromMs ?? 0,
    toMs: Math.min(
      query.toMs ?? Number.MAX_SAFE_INTEGER,
      (before?.startedAtMs ?? Number.MAX_SAFE_INTEGER - 1) + 1,
    ),
    before,
  };
  const keys = await pageKeys(context, query, { window, wanted: limit + 1 });
  const page = keys.slice(0, limit);
  const last = page.at(-1);
  const more = keys.length > limit && last !== undefined;
  return {
    events: await eventsAt(context, page),
    nextCursor: more ? formatCursor({ startedAtMs: last.started_at_ms, ledgerSeq: last.ledger_seq }) : null,
  };
}

async function eventsAt(context: Context, keys: readonly KeyRow[]): Promise<StoredEvent[]> {
  if (keys.length === 0) return [];
  const sequences = sql.join(keys.map((key) => key.ledger_seq));
  const events = await readEvents(context, sql`e.ledger_seq in (${sequences})`, sql``);
  return events.sort((a, b) => b.startedAtMs - a.startedAtMs || b.ledgerSeq - a.ledgerSeq);
}

interface Wanted {
  window: Window;
  wanted: number;
}

async function pageKeys(
  context: Context,
  query: RequestPageQuery,
  { window, wanted }: Wanted,
): Promise<KeyRow[]> {
  const conditions = conditionsOf(query);
  const { tags = [], sessionIds: sessions = [] } = query;
  const walked = { conditions, window, wanted };
  if (tags.length > 0)
    return mergedKeys(context, tags, { wanted, keysOf: (tag) => tagOrderKeys(tag, { ...walked, sessions }) });
  if (sessions.length > 0)
    return mergedKeys(context, sessions, { wanted, keysOf: (session) => sessionOrderKeys(session, walked) });
  if (conditions.length === 0) return run(context, timeOrderKeys(conditions, window, wanted));
  const found: KeyRow[] = [];
  for await (const stretch of stretches(context, conditions, { window, wanted })) {
    const left = wanted - found.length;
    const keys = stretch.matches > SORT_LIMIT ? timeOrderKeys : seriesOrderKeys;
    found.push(...(await run(context, keys(conditions, stretch.window, left))));
    if (found.length >= wanted) break;
  }
  return found;
}

async function run(context: Context, query: RawBuilder<KeyRow>): Promise<KeyRow[]> {
  return (await query.execute(context.db)).rows;
}

/** Part of the window, and at most how many matches lie in it. */
export interface Stretch {
  matches: number;
  window: Window;
}

/** Stretches of the window to look through, newest first: the last days first, as most pages are filled by them. */
async function* stretches(
  context: Context,
  conditions: readonly DimensionCondition[],
  { window, wanted }: Wanted,
): AsyncGenerator<Stretch> {
  let beforeMs = Math.min(window.toMs, (await newestStart(context)) + 1);
  let reachMs = FIRST_REACH_MS;
  while (beforeMs > window.fromMs) {
    const fromMs = Math.max(window.fromMs, Math.floor((beforeMs - reachMs) / DAY_MS) * DAY_MS);
    const days = (await matchingDays(conditions, fromMs, beforeMs).execute(context.db)).rows;
    yield* joinDays(days, window, wanted);
    beforeMs = fromMs;
    reachMs *= REACH_GROWTH;
  }
}

async function newestStart({ db }: Context): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`
    select max(started_at_ms) as newest from usage_event`.execute(db);
  return rows[0]?.newest ?? -1;
}

/**
 * Joins days with few matches until they hold enough for the page, as long as they are few enough to be sorted.
 * A day that the window cuts stands alone: how many of its matches lie below the cut is not known.
 */
export function joinDays(
  days: readonly { bucket: number; matches: number }[],
  window: Window,
  wanted: number,
): Stretch[] {
  const joined: Stretch[] = [];
  let open: Stretch | null = null;
  for (const { bucket, matches } of days) {
    const fromMs = Math.max(window.fromMs, bucket);
    if (open !== null && open.matches < wanted && open.matches + matches <= SORT_LIMIT) {
      open.matches += matches;
      open.window.fromMs = fromMs;
      continue;
    }
    const stretch = { matches, window: { ...window, fromMs, toMs: Math.min(window.toMs, bucket + DAY_MS) } };
    joined.push(stretch);
    open = window.toMs < bucket + DAY_MS ? null : stretch;
  }
  return joined;
}

/** How many rows match on each UTC day, newest day first. */
export function matchingDays(
  conditions: readonly DimensionCondition[],
  fromMs: number,
  beforeMs: number,
): RawBuilder<{ bucket: number; matches: number }> {
  const firstDay = Math.floor(fromMs / DAY_MS) * DAY_MS;
  return sql<{ bucket: number; matches: number }>`
    select r.bucket_ms as bucket, sum(r.events) as matches
    from usage_series as s cross join rollup_day as r
    where ${seriesCondition(grainOf(conditions, null), conditions)}
      and r.series_id = s.id and r.bucket_ms >= ${firstDay} and r.bucket_ms < ${beforeMs}
    group by r.bucket_ms order by r.bucket_ms desc`;
}

function within(window: Window, row: 'e' | 't'): RawBuilder<unknown> {
  const started = sql.ref(`${row}.started_at_ms`);
  const range = sql`${started} >= ${window.fromMs} and ${started} < ${window.toMs}`;
  if (window.before === null) return range;
  const { startedAtMs, ledgerSeq } = window.before;
  return sql`${range} and (${started} < ${startedAtMs} or ${sql.ref(`${row}.ledger_seq`)} < ${ledgerSeq})`;
}

/** Walks the time index newest first and leaves out what does not match. */
export function timeOrderKeys(
  conditions: readonly DimensionCondition[],
  window: Window,
  limit: number,
): RawBuilder<KeyRow> {
  const filter =
    conditions.length === 0
      ? { tables: sql`usage_event as e`, condition: sql`` }
      : {
          tables: sql`usage_event as e cross join usage_series as s`,
          condition: sql`and s.id = e.series_id and ${seriesCondition('detail', conditions)}`,
        };
  return sql<KeyRow>`
    select e.ledger_seq, e.started_at_ms from ${filter.tables}
    where ${within(window, 'e')} ${filter.condition}
    order by e.started_at_ms desc, e.ledger_seq desc limit ${limit}`;
}

/** Gathers the few matches of each series and sorts them. */
export function seriesOrderKeys(
  conditions: readonly DimensionCondition[],
  window: Window,
  limit: number,
): RawBuilder<KeyRow> {
  return sql<KeyRow>`
    select e.ledger_seq, e.started_at_ms from usage_series as s cross join usage_event as e
    where ${seriesCondition('detail', conditions)} and e.series_id = s.id and ${within(window, 'e')}
    order by e.started_at_ms desc, e.ledger_seq desc limit ${limit}`;
}

/** Conditions on rows that are walked by another index. */
interface Walk extends Wanted {
  conditions: readonly DimensionCondition[];
}

/** Walks one session newest first. */
export function sessionOrderKeys(session: string, { conditions, window, wanted }: Walk): RawBuilder<KeyRow> {
  return sql<KeyRow>`
    select e.ledger_seq, e.started_at_ms from usage_event as e cross join usage_series as s
    where e.session_id = ${session} and s.id = e.series_id and ${seriesCondition('detail', conditions)}
      and ${within(window, 'e')}
    order by e.started_at_ms desc, e.ledger_seq desc limit ${wanted}`;
}

/** One walk for each value, as its rows are in order by themselves; then merged. */
async function mergedKeys(
  context: Context,
  values: readonly string[],
  walk: { wanted: number; keysOf(value: string): RawBuilder<KeyRow> },
): Promise<KeyRow[]> {
  const found = new Map<number, KeyRow>();
  for (const value of new Set(values)) {
    for (const row of await run(context, walk.keysOf(value))) found.set(row.ledger_seq, row);
  }
  return [...found.values()]
    .sort((a, b) => b.started_at_ms - a.started_at_ms || b.ledger_seq - a.ledger_seq)
    .slice(0, walk.wanted);
}

/** Walks one tag newest first. */
export function tagOrderKeys(tag: string, query: Walk & { sessions: readonly string[] }): RawBuilder<KeyRow> {
  const sessions =
    query.sessions.length === 0 ? sql`` : sql`and e.session_id in (${sql.join(query.sessions)})`;
  const filter =
    query.conditions.length + query.sessions.length === 0
      ? { tables: sql``, condition: sql`` }
      : {
          tables: sql`cross join usage_event as e cross join usage_series as s`,
          condition: sql`and e.ledger_seq = t.ledger_seq and s.id = e.series_id
            and ${seriesCondition('detail', query.conditions)} ${sessions}`,
        };
  return sql<KeyRow>`
    select t.ledger_seq, t.started_at_ms from event_tag as t ${filter.tables}
    where t.tag = ${tag} and ${within(query.window, 't')} ${filter.condition}
    order by t.started_at_ms desc, t.ledger_seq desc limit ${query.wanted}`;
}

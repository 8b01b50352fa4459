import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { ImportedAccount, ImportedEvent } from '@tallygate/contract/api/imports';
import {
  countOf,
  httpStatusOf,
  type ImportContents,
  type ImportProblem,
  ImportSourceError,
  instantOf,
  millisecondsOf,
  nameOf,
  PAGE_ROWS,
  pageOf,
  statusOf,
  textOf,
} from './import-source.ts';

type Row = Record<string, SQLOutputValue>;

const ACCOUNT_COLUMNS = [
  'id',
  'name',
  'provider',
  'api_key',
  'refresh_token',
  'access_token',
  'expires_at',
  'account_tier',
  'paused',
] as const;
const REQUEST_COLUMNS = [
  'id',
  'timestamp',
  'account_used',
  'status_code',
  'success',
  'response_time_ms',
  'model',
  'cost_usd',
  'input_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'output_tokens',
] as const;

/** Integers come as they are: one that a number does not hold would end the whole reading otherwise. */
function prepare(database: DatabaseSync, query: string): StatementSync {
  const statement = database.prepare(query);
  statement.setReadBigInts(true);
  return statement;
}

/** The columns of those that the table has: older versions lack some. */
function columnsIn(database: DatabaseSync, table: string, wanted: readonly string[]): string[] {
  const present = new Set(
    database
      .prepare('select name from pragma_table_info(?)')
      .all(table)
      .map((row) => row.name),
  );
  if (!present.has('id')) throw new ImportSourceError(`The database has no table "${table}" of ccflare.`);
  return wanted.filter((name) => present.has(name));
}

function accountOf(row: Row): ImportedAccount | ImportProblem {
  const ref = textOf(row.id, 200) ?? '?';
  const apiKey = textOf(row.api_key, 4096);
  const refreshToken = textOf(row.refresh_token, 16_384);
  const plain = {
    ref,
    name: nameOf(row.name, `ccflare ${ref.slice(0, 8)}`),
    apiFlavor: 'anthropic.messages',
    // Tiers are sizes of a subscription: their share of the calls beside one another.
    weight: Math.min(Math.max(countOf(row.account_tier) ?? 1, 1), 1000),
    paused: countOf(row.paused) === 1,
  };
  if (apiKey !== null) return { ...plain, apiKey };
  if (refreshToken === null)
    return { ref, reason: `account "${plain.name}" has neither a key nor a refresh token` };
  const oauth = {
    accessToken: textOf(row.access_token, 16_384),
    refreshToken,
    expiresAt: instantOf(row.expires_at),
  };
  return { ...plain, oauth };
}

/** A dollar amount as text; null for 0, which stands for "not known" there. */
function costOf(value: unknown): string | null {
  const usd = typeof value === 'bigint' ? Number(value) : value;
  return typeof usd === 'number' && usd > 0 && usd < 1e8 ? usd.toFixed(9) : null;
}

function eventOf(row: Row): ImportedEvent | null {
  const latencyMs = millisecondsOf(row.response_time_ms);
  const endedMs = countOf(row.timestamp);
  const ref = textOf(row.id, 200);
  // The time of a row is that of its end: it is written again when the answer is complete.
  const startedAt = endedMs === null ? null : instantOf(Math.round(endedMs - (latencyMs ?? 0)));
  if (ref === null || startedAt === null) return null;
  const httpStatus = httpStatusOf(row.status_code);
  return {
    ref,
    startedAt,
    accountRef: textOf(row.account_used, 200),
    project: null,
    apiFlavor: 'anthropic.messages',
    model: textOf(row.model, 200),
    status: statusOf(countOf(row.success) === 1, httpStatus),
    httpStatus,
    stream: false,
    latencyMs,
    ttftMs: null,
    sessionId: null,
    tokens: {
      inputUncached: countOf(row.input_tokens),
      cacheRead: countOf(row.cache_read_input_tokens),
      // How long they live is not kept there; five minutes is what a request gets that does not ask.
      cacheWrite5m: countOf(row.cache_creation_input_tokens),
      cacheWrite1h: null,
      outputVisible: countOf(row.output_tokens),
    },
    costUsd: costOf(row.cost_usd),
  };
}

/**
 * Opens a database of ccflare, for reading only.
 * @throws ImportSourceError when it is none
 */
export function readCcflare(path: string): ImportContents {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { readOnly: true });
  } catch {
    throw new ImportSourceError(`${path} cannot be opened as a SQLite database.`);
  }
  try {
    const accountColumns = columnsIn(database, 'accounts', ACCOUNT_COLUMNS);
    const requestColumns = columnsIn(database, 'requests', REQUEST_COLUMNS);
    const found = prepare(database, `select ${accountColumns.join(', ')} from accounts order by rowid`)
      .all()
      .map(accountOf);
    const page = prepare(
      database,
      `select rowid as position, ${requestColumns.join(', ')} from requests where rowid > ? order by rowid limit ${PAGE_ROWS}`,
    );
    return {
      accounts: found.filter((one): one is ImportedAccount => !('reason' in one)),
      keys: [],
      problems: found.filter((one) => 'reason' in one),
      async *events() {
        let position: SQLOutputValue = 0;
        for (;;) {
          const rows: Row[] = page.all(position);
          const last = rows.at(-1);
          if (last === undefined) return;
          position = last.position ?? null;
          yield pageOf(rows, (row) => row.id, eventOf);
        }
      },
      close: async () => database.close(),
    };
  } catch (error) {
    database.close();
    if (error instanceof ImportSourceError) throw error;
    throw new ImportSourceError(`${path} cannot be read as a database of ccflare.`);
  }
}

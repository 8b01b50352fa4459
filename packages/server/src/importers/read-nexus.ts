import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedAccount, ImportedEvent, ImportedKey } from '@tallygate/contract/api/imports';
import {
  type CredentialFile,
  credentialDomain,
  parseCredentialFile,
} from '@tallygate/contract/credential-file';
import pg from 'pg';
import {
  countOf,
  httpStatusOf,
  type ImportContents,
  type ImportPage,
  ImportSourceError,
  instantOf,
  millisecondsOf,
  nameOf,
  PAGE_ROWS,
  pageOf,
  slugOf,
  statusOf,
  textOf,
} from './import-source.ts';

type Row = Record<string, unknown>;

function accountOf(domain: string, file: CredentialFile): ImportedAccount {
  const ref = file.accountId ?? domain;
  const plain = { ref, name: nameOf(ref, domain), apiFlavor: 'anthropic.messages', weight: 1, paused: false };
  if (file.type === 'api_key') return { ...plain, apiKey: file.api_key };
  const { accessToken, refreshToken, expiresAt } = file.oauth;
  return {
    ...plain,
    oauth: {
      accessToken: accessToken ?? null,
      refreshToken,
      expiresAt: instantOf(expiresAt),
    },
  };
}

function keyOf(domain: string, { client_api_key: key }: CredentialFile): ImportedKey | null {
  return key === undefined ? null : { ref: domain, name: domain.slice(0, 100), key, project: slugOf(domain) };
}

/** The credentials of every domain; several domains may share an account, which comes once. */
function readCredentials(dir: string): Pick<ImportContents, 'accounts' | 'keys' | 'problems'> {
  const accounts = new Map<string, ImportedAccount>();
  const keys: ImportedKey[] = [];
  const problems: ImportContents['problems'] = [];
  let names: string[];
  try {
    names = readdirSync(dir).sort();
  } catch {
    throw new ImportSourceError(`The folder ${dir} cannot be read.`);
  }
  for (const name of names) {
    const domain = credentialDomain(name);
    if (domain === null) continue;
    const parsed = parseCredentialFile(readFileSync(join(dir, name), 'utf8'));
    if ('problem' in parsed) {
      problems.push({ ref: name, reason: parsed.problem });
      continue;
    }
    const account = accountOf(domain, parsed.file);
    if (!accounts.has(account.ref)) accounts.set(account.ref, account);
    const key = keyOf(domain, parsed.file);
    if (key !== null) keys.push(key);
  }
  return { accounts: [...accounts.values()], keys, problems };
}

const COLUMNS =
  'request_id::text as request_id, timestamp, timestamp::text as position, domain, account_id, model, response_status, ' +
  'response_streaming, input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, usage_data, ' +
  'first_token_ms, duration_ms, error, conversation_id::text as conversation_id';

/** Cache writes by their life; what the split does not name lives five minutes. */
function cacheWrites(row: Row): { cacheWrite5m: number | null; cacheWrite1h: number | null } {
  const total = countOf(row.cache_creation_input_tokens);
  const usage = row.usage_data as { cache_creation?: { ephemeral_1h_input_tokens?: unknown } } | null;
  const hour = countOf(usage?.cache_creation?.ephemeral_1h_input_tokens);
  if (total === null || hour === null || hour > total) return { cacheWrite5m: total, cacheWrite1h: null };
  return { cacheWrite5m: total - hour, cacheWrite1h: hour };
}

function eventOf(row: Row): ImportedEvent | null {
  const ref = textOf(row.request_id, 200);
  if (ref === null || !(row.timestamp instanceof Date)) return null;
  const httpStatus = httpStatusOf(row.response_status);
  const ok = httpStatus !== null && httpStatus < 400 && textOf(row.error, Number.POSITIVE_INFINITY) === null;
  return {
    ref,
    startedAt: row.timestamp.toISOString(),
    accountRef: textOf(row.account_id, 200),
    project: typeof row.domain === 'string' ? slugOf(row.domain) : null,
    apiFlavor: 'anthropic.messages',
    model: textOf(row.model, 200),
    status: statusOf(ok, httpStatus),
    httpStatus,
    stream: row.response_streaming === true,
    latencyMs: millisecondsOf(row.duration_ms),
    ttftMs: row.response_streaming === true ? millisecondsOf(row.first_token_ms) : null,
    sessionId: textOf(row.conversation_id, 200),
    tokens: {
      inputUncached: countOf(row.input_tokens),
      cacheRead: countOf(row.cache_read_input_tokens),
      ...cacheWrites(row),
      outputVisible: countOf(row.output_tokens),
    },
    costUsd: null,
  };
}

async function* readEvents(client: pg.Client): AsyncIterable<ImportPage> {
  let after: [position: string, id: string] = ['-infinity', '00000000-0000-0000-0000-000000000000'];
  for (;;) {
    const { rows } = await client.query<Row>(
      `select ${COLUMNS} from api_requests where (timestamp, request_id) > ($1::timestamptz, $2::uuid) ` +
        `order by timestamp, request_id limit ${PAGE_ROWS}`,
      after,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = [String(last.position), String(last.request_id)];
    yield pageOf(rows, (row) => row.request_id, eventOf);
  }
}

async function openDatabase(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query('set default_transaction_read_only = on');
    await client.query('select request_id from api_requests limit 0');
    return client;
  } catch (error) {
    await client.end().catch(() => undefined); // why it did not open says more
    const code = (error as { code?: unknown }).code;
    const why = code === '42P01' ? 'it has no table api_requests' : 'it cannot be opened';
    throw new ImportSourceError(`The database is not one of claude-nexus-proxy: ${why}.`);
  }
}

/**
 * Opens what claude-nexus-proxy left: its folder of credential files and, where there is one, its database.
 * @throws ImportSourceError when it is none
 */
export async function readNexus(credentialsDir: string, databaseUrl: string | null): Promise<ImportContents> {
  const read = readCredentials(credentialsDir);
  const client = databaseUrl === null ? null : await openDatabase(databaseUrl);
  return {
    ...read,
    async *events() {
      if (client !== null) yield* readEvents(client);
    },
    close: async () => client?.end(),
  };
}

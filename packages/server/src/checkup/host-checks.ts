import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, relative } from 'node:path';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { type CheckContext, fail, ok, quoted, warn, withCommand } from './check.ts';
import { LOOPBACK } from './listeners.ts';
import { weaknessOf } from './secret-strength.ts';

/** Deep and large enough for everything that this program puts into its folder. */
const MAX_DEPTH = 4;
const MAX_FILES = 20_000;
const NAMED = 5;
/** 32 random bytes have about 30 distinct ones; fewer than this is no randomness. */
const MIN_DISTINCT_BYTES = 16;

const OTHERS = 0o077;

async function* filesIn(folder: string, depth: number): AsyncGenerator<{ path: string; found: Stats }> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => null);
    if (found === null || found.isSymbolicLink()) continue; // removed meanwhile, or the mode of a link means nothing
    yield { path, found };
    if (found.isDirectory() && depth < MAX_DEPTH) yield* filesIn(path, depth + 1);
  }
}

/** Everything in the data directory is for its owner alone. */
export async function checkDataFiles({ paths, uid }: CheckContext): Promise<CheckResult> {
  const id = 'data_files';
  if (uid === null) return ok(id, 'This system has no owner-only file modes.');
  const { dir } = paths;
  const open: string[] = [];
  let count = 0;
  for await (const { path, found } of filesIn(dir, 0)) {
    count += 1;
    if ((found.mode & OTHERS) !== 0) open.push(relative(dir, path));
    if (count >= MAX_FILES) break;
  }
  if (open.length === 0) return ok(id, `${count} files and folders in ${dir} are for their owner alone.`);
  const named = open.slice(0, NAMED).join(', ');
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  const found = `Other users of this machine can get at ${named}${more}.`;
  return withCommand(fail(id, found, ''), `chmod -R go= ${quoted(dir)}`);
}

export async function checkUser({ uid }: CheckContext): Promise<CheckResult> {
  const id = 'user';
  if (uid !== 0) return ok(id, 'This is not the user root.');
  return warn(
    id,
    'This runs as root: a fault in it would be a fault of the whole machine.',
    'Make a user of its own for Tallygate, give it the data directory, and run as that user.',
  );
}

/** The part of a database URL that decides who can read along; null for a file. */
function databaseServer(url: string): URL | null {
  const parsed = URL.parse(url);
  return parsed === null || parsed.hostname === '' || /^sqlite:/i.test(url) ? null : parsed;
}

export async function checkDatabaseTls({ config }: CheckContext): Promise<CheckResult> {
  const id = 'database_tls';
  const server = databaseServer(config.dbUrl.reveal());
  if (server === null) return ok(id, 'The store is a file of this machine.');
  if (LOOPBACK.test(server.hostname)) return ok(id, 'The store is a server on this machine.');
  const mode = server.searchParams.get('sslmode');
  if (mode === 'verify-full') return ok(id, 'The store is reached over verified TLS.');
  const fix = 'Add sslmode=verify-full to the database URL.';
  if (mode === 'require' || mode === 'verify-ca')
    return warn(id, `The store is reached over TLS, but nobody checks whose it is (sslmode=${mode}).`, fix);
  return fail(id, `The store at ${server.hostname} is reached without TLS.`, fix);
}

/** Budgets and limits of all nodes are in it: whoever reads along sees ids, whoever writes along spends. */
export async function checkRedisTls({ config }: CheckContext): Promise<CheckResult> {
  const id = 'redis_tls';
  const { redisUrl } = config;
  const server = redisUrl === null ? null : URL.parse(redisUrl.reveal());
  if (server === null) return ok(id, 'No Redis is used.');
  if (LOOPBACK.test(server.hostname)) return ok(id, 'Redis is on this machine.');
  if (server.protocol === 'rediss:') return ok(id, 'Redis is reached over verified TLS.');
  return fail(id, `Redis at ${server.hostname} is reached without TLS.`, 'Use rediss:// in REDIS_URL.');
}

function masterKeyWeakness(text: string): string | null {
  const bytes = Buffer.from(text, /^[\da-f]{64}$/i.test(text) ? 'hex' : 'base64');
  return new Set(bytes).size < MIN_DISTINCT_BYTES ? 'it is not random' : null;
}

/** Secrets in settings: placeholders, well-known words, repetition. What is wrong is said, never the secret. */
export async function checkSecrets({ config }: CheckContext): Promise<CheckResult> {
  const id = 'secrets';
  const problems: string[] = [];
  const judge = (name: string, why: string | null): void => {
    if (why !== null) problems.push(`${name}: ${why}`);
  };
  if (config.dashboardPassword !== null) {
    judge(
      'DASHBOARD_PASSWORD',
      weaknessOf(config.dashboardPassword.reveal(), config.dashboardUsername ?? ''),
    );
  }
  if (config.masterKey !== null) judge('TALLYGATE_MASTER_KEY', masterKeyWeakness(config.masterKey.reveal()));
  const server = databaseServer(config.dbUrl.reveal());
  if (server !== null && !(LOOPBACK.test(server.hostname) && isIP(server.hostname) !== 0)) {
    judge(
      'the password in the database URL',
      weaknessOf(decodeURIComponent(server.password), server.username),
    );
  }
  if (problems.length === 0) return ok(id, 'No secret in the settings is a placeholder or easily guessed.');
  return fail(
    id,
    `Secrets that would be guessed: ${problems.join('; ')}.`,
    'Replace them: openssl rand -base64 32',
  );
}

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from './eventually.ts';
import { freePort } from './private-redis.ts';
import { spawnTied } from './tied-process.ts';

/** A PostgreSQL of the test's own, which may be frozen and killed. What was committed outlives both. */
export interface PrivatePostgres {
  readonly port: number;
  /** Address of a new, empty database, through another port where there is a proxy in between. */
  url(port?: number): string;
  /** Stops every process of it: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PrivatePostgresTarget {
  /** Why none can be started here; null when one can. */
  skipped: string | null;
  start(): Promise<PrivatePostgres>;
}

const DATABASE = 'chaos';
const START_MS = 60_000;

/** Where Debian puts the programs of each version, newest first; else the folder that `PATH` knows. */
function programs(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const found = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return found.find((dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres'))) ?? null;
}

/** PostgreSQL refuses to run as root: the user of the system's own server does it then. */
function runAs(): { uid: number; gid: number } | null | 'nobody' {
  if (process.getuid?.() !== 0) return null;
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return line === null ? 'nobody' : { uid: Number(line[1]), gid: Number(line[2]) };
}

/** Starts servers with the installed programs. Skips, saying why, without them; with `postgres` in `REQUIRE` that is a failure. */
export function privatePostgresTarget(): PrivatePostgresTarget {
  const bin = programs();
  const user = runAs();
  const missing =
    bin === null ? 'no initdb on this machine' : 'root may not run PostgreSQL, and nobody else can';
  if (bin !== null && user !== 'nobody') return { skipped: null, start: () => startPostgres(bin, user) };
  if ((process.env.REQUIRE ?? '').split(',').includes('postgres'))
    throw new Error(`REQUIRE=postgres, but ${missing}`);
  console.warn(`skipped: ${missing}`);
  return { skipped: missing, start: () => Promise.reject(new Error(missing)) };
}

/** The process and those it started: they have sessions of their own, so that a signal to a group misses them. */
function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false; // it has ended
      }
    });
  return [pid, ...children.map(Number)];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // it has ended
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function startPostgres(
  bin: string,
  user: { uid: number; gid: number } | null,
): Promise<PrivatePostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'tallygate-postgres-'));
  if (user !== null) chownSync(dir, user.uid, user.gid);
  const data = join(dir, 'data');
  const port = await freePort();
  const as = { ...(user ?? {}), cwd: dir, stdio: 'ignore' as const };
  const init = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), init, as);
  const url = (database: string, at: number): string => `postgres://postgres@127.0.0.1:${at}/${database}`;
  let child: ChildProcess;
  let frozen: number[] = [];
  const start = async (): Promise<void> => {
    const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100' };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    await eventually(
      'PostgreSQL answers',
      async () => {
        // What a killed one leaves behind ends by itself; until then a new one refuses to start.
        if (child === undefined || child.exitCode !== null || child.signalCode !== null)
          child = spawnTied(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], as);
        return answers(url('postgres', port));
      },
      START_MS,
    );
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    signal(family(child.pid ?? 0), 'SIGKILL');
    await gone;
  };
  await start();
  const admin = new pg.Client({ connectionString: url('postgres', port) });
  await admin.connect();
  await admin.query(`create database ${DATABASE}`);
  await admin.end();
  return {
    port,
    url: (at = port) => url(DATABASE, at),
    freeze() {
      frozen = family(child.pid ?? 0);
      signal(frozen, 'SIGSTOP');
    },
    thaw() {
      signal(frozen, 'SIGCONT');
      frozen = [];
    },
    kill,
    restart: start,
    async stop() {
      signal(frozen, 'SIGCONT');
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A Unix socket path longer than this does not fit `sockaddr_un` on every system (104 on macOS, 108 on Linux). */
const MAX_SOCKET_PATH_BYTES = 100;

/** Where everything of one installation lives. */
export interface DataPaths {
  dir: string;
  /** SQLite file of the default store. */
  database: string;
  journalDir: string;
  /** Vault master key, 0600. */
  masterKey: string;
  /** The same, locked by a keychain or a token. */
  lockedMasterKey: string;
  /** Held exclusively by the running server. */
  lock: string;
  /** Held by a command that changes the store while no server runs. */
  commandLock: string;
  /** Folder of the control socket, 0700: only its owner can reach the server through it. */
  controlDir: string;
  controlSocket: string;
  /** There while the limits that nodes share may not know of requests that this node let through. */
  unheldMark: string;
}

/** Lays out a data directory. Creates nothing. */
export function dataPaths(dataDir: string, uid: number | null): DataPaths {
  const dir = resolve(dataDir);
  let controlDir = join(dir, 'run');
  if (Buffer.byteLength(join(controlDir, 'control.sock')) > MAX_SOCKET_PATH_BYTES) {
    const digest = createHash('sha256').update(dir).digest('hex').slice(0, 16);
    controlDir = join(tmpdir(), `tallygate-${uid ?? 'user'}-${digest}`);
  }
  return {
    dir,
    database: join(dir, 'tallygate.db'),
    journalDir: join(dir, 'journal'),
    masterKey: join(dir, 'master.key'),
    lockedMasterKey: join(dir, 'master.key.locked'),
    lock: join(dir, 'server.lock'),
    commandLock: join(dir, 'command.lock'),
    controlDir,
    controlSocket: join(controlDir, 'control.sock'),
    unheldMark: join(dir, 'unheld-requests'),
  };
}

import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { CliError, usageError } from '../cli-error.ts';
import type { Settings } from '../config/settings.ts';
import type { GlobalOptions } from '../context.ts';
import type { Terminal } from '../io/terminal.ts';
import { httpUrl } from '../options/parsers.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** The server named on the command line or in the environment; null means this machine's own. */
export function namedServer(terminal: Terminal, globals: GlobalOptions): URL | null {
  const text = globals.server ?? (terminal.env.TALLYGATE_SERVER || undefined);
  if (text === undefined) return null;
  const url = new URL(httpUrl(text, '--server'));
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !loopback) {
    throw usageError(
      '--server takes an https URL; plain http is allowed only to this machine.',
      'The admin key and everything it shows would cross the network readable. Put TLS in front of the server.',
    );
  }
  url.search = '';
  url.hash = '';
  return url;
}

/** Whether somebody answers at the socket. A file left behind by a dead server refuses the connection. */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, timeout: CONNECT_TIMEOUT_MS });
    const finish = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(true)); // somebody listens, but is too busy to accept
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'].includes(error.code ?? '')) finish(false);
      else reject(error);
    });
  });
}

/**
 * The folder of the socket must be its owner's alone: secrets are sent through it, and when the path of the
 * data directory is long it lies in the shared temporary folder, where anybody could have made it first.
 */
function assertTrusted(controlDir: string, uid: number | null): void {
  const stat = lstatSync(controlDir);
  const ours = uid === null || stat.uid === uid || uid === 0;
  const closed = uid === null || (stat.mode & 0o077) === 0;
  if (stat.isDirectory() && ours && closed) return;
  throw new CliError(
    'control_socket_untrusted',
    `The folder of the control socket, ${controlDir}, is not private.`,
    {
      why: 'It must be a folder that only its owner can enter; somebody else could listen in this one.',
      fix: 'Stop the server, remove that folder, and start the server as the user who owns the data directory.',
    },
  );
}

function controlDirExists(controlDir: string): boolean {
  return lstatSync(controlDir, { throwIfNoEntry: false }) !== undefined;
}

/**
 * The local server's socket when one answers, else null.
 * @throws CliError `control_socket_untrusted`, `control_socket_denied`
 */
export async function localSocket(settings: Settings, uid: number | null): Promise<string | null> {
  const { controlDir, controlSocket } = settings.paths;
  try {
    if (!controlDirExists(controlDir)) return null;
    if (!(await socketAnswers(controlSocket))) return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new CliError('control_socket_denied', `You may not use the control socket ${controlSocket}.`, {
      why: 'The server runs as another user, and only that user can reach it this way.',
      fix: 'Run this command as that user (sudo -u …), or use --server with an admin key.',
      cause: error,
    });
  }
  assertTrusted(controlDir, uid);
  return controlSocket;
}

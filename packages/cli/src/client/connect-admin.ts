import { existsSync } from 'node:fs';
import { CliError, usageError } from '../cli-error.ts';
import { ADMIN_KEY_VARIABLE, type Settings } from '../config/settings.ts';
import type { GlobalOptions } from '../context.ts';
import type { Terminal } from '../io/terminal.ts';
import { type AdminApi, createAdminApi } from './admin-api.ts';
import { settleHolder } from './data-directory.ts';
import { createHttpTransport } from './http-transport.ts';
import { createInProcessTransport } from './in-process-transport.ts';
import { namedServer } from './locate-server.ts';

/** What `connectAdmin` decides by. */
export interface ConnectOptions {
  terminal: Terminal;
  globals: GlobalOptions;
  settings: () => Promise<Settings>;
  access: 'read' | 'write';
}

function adminKey(terminal: Terminal, globals: GlobalOptions): string {
  const variable = globals.adminKeyEnv ?? ADMIN_KEY_VARIABLE;
  const key = terminal.env[variable]?.trim();
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  throw new CliError(
    'credential_missing',
    key ? `${variable} holds characters that no key has.` : `${variable} does not hold an admin key.`,
    {
      why: 'A server elsewhere answers only to a key with the scope "admin".',
      fix: `On the server: tallygate keys create --name cli --scopes admin. Here: export ${variable}=<that key>`,
      exitCode: 2,
    },
  );
}

function refuseMissingDirectory(dir: string): void {
  if (existsSync(dir)) return;
  throw new CliError('data_directory_missing', `There is no data directory at ${dir}.`, {
    why: 'Nothing was started or set up there yet, so there is nothing to show.',
    fix: 'Check --data-dir (or TALLYGATE_DATA_DIR), or make one: tallygate start --data-dir DIR',
  });
}

/** A key belongs to one workspace: naming another would do nothing. */
function refuseWorkspace({ workspace }: GlobalOptions): void {
  if (workspace === undefined) return;
  throw usageError(
    '--workspace goes with the installation on this machine, not with --server.',
    'The admin key decides: use one that was made in that workspace.',
  );
}

/**
 * Opens the administrative API over the way that is open: the named server; the local server's socket; or,
 * when no server runs on the data directory, the store itself in this process.
 */
export async function connectAdmin(options: ConnectOptions): Promise<AdminApi> {
  const { terminal, globals, access } = options;
  const url = namedServer(terminal, globals);
  if (url !== null) {
    refuseWorkspace(globals);
    const target = { kind: 'remote', description: `the server at ${url.origin}` } as const;
    return createAdminApi(createHttpTransport({ url, adminKey: adminKey(terminal, globals) }, target));
  }
  const { workspace } = globals;
  const settings = await options.settings();
  // A mistyped path is an error, not an empty installation.
  if (access === 'read') refuseMissingDirectory(settings.paths.dir);
  const holder = await settleHolder(settings, terminal.uid, access);
  if ('socketPath' in holder) {
    const target = { kind: 'local', description: 'the server on this data directory' } as const;
    return createAdminApi(createHttpTransport({ ...holder, workspace }, target));
  }
  return createAdminApi(await createInProcessTransport(settings, workspace, holder.release));
}

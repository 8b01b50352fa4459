import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The world around the process, as `loadConfig` wants it. */
export interface Environment {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** The text of a file, or null when there is none. */
  readFile: (path: string) => string | null;
  installation: Installation;
}

/** Where this program lives decides where it keeps things when nothing else says so. */
export interface Installation {
  defaultDataDir: string;
  defaultConfigFile: string;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** A settings file is written by hand; one larger than this is something else. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads the real environment. The only place that does; entry points call it once. */
export function environment(): Environment {
  return {
    env: process.env,
    cwd: process.cwd(),
    readFile: readSettingsFile,
    installation: installationAt(ROOT, process.env, homedir()),
  };
}

/**
 * A clone keeps its data and settings in itself, wherever it is started from; an installed package is
 * replaced as a whole on update, so there they belong to the user (XDG base directories).
 */
export function installationAt(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Installation {
  const installed = root.split(sep).includes('node_modules');
  const dataHome = installed ? join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'tallygate') : null;
  const configHome = installed ? join(env.XDG_CONFIG_HOME || join(home, '.config'), 'tallygate') : null;
  return {
    defaultDataDir: dataHome ?? join(root, 'data'),
    defaultConfigFile: join(configHome ?? root, 'tallygate.toml'),
  };
}

function readSettingsFile(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile()) throw new Error('it is not a file');
  if (stat.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

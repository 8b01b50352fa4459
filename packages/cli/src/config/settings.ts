import { ConfigError } from '@tallygate/server/config/config-error';
import { type DataPaths, dataPaths } from '@tallygate/server/config/data-paths';
import { environment } from '@tallygate/server/config/environment';
import { type LoadedConfig, loadConfig } from '@tallygate/server/config/load-config';
import { CliError, EXIT } from '../cli-error.ts';
import type { GlobalOptions } from '../context.ts';
import type { Terminal } from '../io/terminal.ts';

/** The settings in force and where this installation keeps its files. */
export interface Settings extends LoadedConfig {
  paths: DataPaths;
}

/** The variable that holds the admin key for a remote server, unless another is named. */
export const ADMIN_KEY_VARIABLE = 'TALLYGATE_ADMIN_KEY';

/** The server refuses variables with its prefix that it does not know; these are ours. */
function serverEnvironment(terminal: Terminal, globals: GlobalOptions): Terminal['env'] {
  const ours = [ADMIN_KEY_VARIABLE, globals.adminKeyEnv];
  return Object.fromEntries(Object.entries(terminal.env).filter(([name]) => !ours.includes(name)));
}

/** What is wrong with the configuration, as one error of this program; exit code 2. */
export function configurationError(error: ConfigError): CliError {
  const [first, ...others] = error.problems;
  const more = others.map((problem) => `\n${problem.what}\n  why: ${problem.why}\n  fix: ${problem.fix}`);
  return new CliError('invalid_configuration', first?.what ?? 'The configuration is not valid.', {
    exitCode: EXIT.usage,
    details: error.problems,
    ...(first === undefined ? {} : { why: first.why, fix: `${first.fix}${more.join('')}` }),
  });
}

/**
 * Resolves the settings exactly as the server does: flags, environment, file, defaults.
 * @throws CliError `invalid_configuration`
 */
export function resolveSettings(terminal: Terminal, globals: GlobalOptions): Settings {
  try {
    const loaded = loadConfig({
      ...environment(),
      env: serverEnvironment(terminal, globals),
      cwd: terminal.cwd,
      flags: { ...globals.settings, dataDir: globals.dataDir, config: globals.configFile },
    });
    return { ...loaded, paths: dataPaths(loaded.config.dataDir, terminal.uid) };
  } catch (error) {
    if (error instanceof ConfigError) throw configurationError(error);
    throw error;
  }
}

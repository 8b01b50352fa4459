import { ERROR_TABLE, type ErrorCode } from '@tallygate/contract/errors';
import { CliError, EXIT } from './cli-error.ts';
import type { CommandDefinition } from './command.ts';
import { COMMANDS, commandNamed, loadAllCommands } from './command-table.ts';
import { createContext } from './context.ts';
import { readVersion } from './io/read-version.ts';
import type { Terminal } from './io/terminal.ts';
import { printable, styleFor } from './output/style.ts';
import { type Invocation, parseArguments, type SettingOption, VALUED_GLOBALS } from './program.ts';

/** Only what the arguments need: one command when they name one, all of them for help and for mistakes. */
async function loadCommands(argv: readonly string[]): Promise<CommandDefinition[]> {
  const name = commandNamed(argv, VALUED_GLOBALS);
  const load = name === null ? undefined : COMMANDS[name];
  return load === undefined ? loadAllCommands() : [await load()];
}

/** Every setting that may be given as a flag, but the data directory, which every command takes. */
export async function loadSettingOptions(): Promise<SettingOption[]> {
  const { settingFlags } = await import('@tallygate/server/config/explain-config');
  return settingFlags()
    .filter(({ name }) => name !== 'dataDir')
    .map(({ name, option, doc, defaultText }) => ({
      name,
      flags: option,
      description: `${doc} (default: ${defaultText})`,
    }));
}

async function parse(argv: readonly string[], terminal: Terminal): Promise<Invocation | null> {
  const definitions = await loadCommands(argv);
  const [only] = definitions;
  const needsSettings = definitions.length === 1 ? only?.takesSettings : argv.includes('help');
  return parseArguments(argv.length === 0 ? ['--help'] : argv, {
    definitions,
    settings: needsSettings ? await loadSettingOptions() : [],
    version: readVersion(),
    output: {
      writeOut: terminal.writeOut,
      writeError: argv.includes('--json') ? () => {} : terminal.writeError,
      columns: Math.min(terminal.columns, 110),
    },
  });
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return new CliError('internal_error', 'Something went wrong.');
  // Errors of the server's own code (`AppError`) carry a code of the error table and a message that is safe to show.
  const { code, details } = error as { code?: unknown; details?: unknown };
  const known =
    typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : 'internal_error';
  return new CliError(known, error.message, {
    cause: error,
    ...(details === undefined ? {} : { details }),
  });
}

/** Writes what went wrong to standard error: one JSON line with `--json`, else what, why and how to fix it. */
function renderError(error: CliError, terminal: Terminal, options: { json: boolean; color: boolean }): void {
  const { code, message, why, fix, details } = error;
  if (options.json) {
    const body = {
      code,
      message,
      ...(why && { why }),
      ...(fix && { fix }),
      ...(details !== undefined && { details }),
    };
    terminal.writeError(`${JSON.stringify({ error: body })}\n`);
    return;
  }
  const style = styleFor(terminal, 'error', options.color);
  const lines = [`${style.red('error:')} ${printable(message)}`];
  if (why !== null) lines.push(`  ${style.dim('why:')} ${printable(why)}`);
  if (fix !== null) lines.push(`  ${style.dim('fix:')} ${fix.split('\n').map(printable).join('\n')}`);
  terminal.writeError(`${lines.join('\n')}\n`);
}

/**
 * Runs one command line and returns the exit code: 0 done, 1 failed, 2 the command line or the
 * configuration is wrong. Never throws.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const invocation = await parse(argv, terminal);
    if (invocation === null) return EXIT.ok;
    const context = createContext(terminal, invocation.globals);
    try {
      return (await invocation.definition.handler(context, invocation.args)) ?? EXIT.ok;
    } finally {
      await context.close();
    }
  } catch (error) {
    const failure = asCliError(error);
    renderError(failure, terminal, { json: argv.includes('--json'), color: !argv.includes('--no-color') });
    return failure.exitCode;
  }
}

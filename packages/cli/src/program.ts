import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { CliError, EXIT, usageError } from './cli-error.ts';
import type { CommandDefinition } from './command.ts';
import { NOUNS } from './command-table.ts';
import type { GlobalOptions } from './context.ts';
import { flagOf, type Option } from './options/option.ts';
import { environmentName } from './options/parsers.ts';

/** Options of every command, as help shows them. */
export const GLOBAL_OPTIONS: readonly { flags: string; description: string }[] = [
  { flags: '--data-dir <DIR>', description: 'Data directory of the local installation' },
  { flags: '--config <FILE>', description: 'Settings file to read instead of the standard one' },
  { flags: '--server <URL>', description: 'Talk to this server instead (also TALLYGATE_SERVER)' },
  {
    flags: '--admin-key-env <VAR>',
    description: 'Variable that holds the admin key for --server (default: TALLYGATE_ADMIN_KEY)',
  },
  { flags: '--workspace <SLUG>', description: 'Act in this workspace of the local installation' },
  { flags: '--json', description: 'Print JSON; errors too, on standard error' },
  { flags: '--no-color', description: 'No colours (also NO_COLOR)' },
];

/** Global options that are followed by a value. */
export const VALUED_GLOBALS = GLOBAL_OPTIONS.filter(({ flags }) => flags.includes('<')).map(
  ({ flags }) => flags.split(' ')[0] ?? '',
);

/** What the command line asks for. */
export interface Invocation {
  definition: CommandDefinition;
  globals: GlobalOptions;
  args: Record<string, unknown>;
}

/** A setting of the server as an option: `name` is the setting's, `flags` as commander spells them. */
export interface SettingOption {
  name: string;
  flags: string;
  description: string;
}

const SECRET_FLAGS = ['--api-key', '--key', '--admin-key', '--token', '--password', '--secret'];

/** Commander's complaint in this program's words. What was typed after `=` is never echoed: it may be a key. */
function usageErrorFrom(error: CommanderError): CliError {
  const text = error.message.replace(/^error: /, '');
  const unknownFlag = /^unknown option '([^'=]*)/.exec(text)?.[1];
  if (unknownFlag !== undefined && SECRET_FLAGS.includes(unknownFlag)) {
    return usageError(
      `${unknownFlag} does not exist: secrets are never arguments.`,
      'Other users of the machine can read the arguments of a program, and the shell keeps them. Name a variable with an option that ends in -env, or pipe the secret in with --api-key-stdin.',
    );
  }
  const absent = /^missing required argument '(.*)'/.exec(text)?.[1];
  if (absent !== undefined) return usageError(`${absent} is missing.`, 'Add --help to see what it is.');
  const suggestion = /\(Did you mean (.*?)\?\)/s.exec(text)?.[1];
  const what = (text.split('\n')[0] ?? text).replace(/^(unknown option '[^'=]*)=.*$/, "$1'");
  return usageError(
    `${what.charAt(0).toUpperCase()}${what.slice(1)}.`,
    suggestion === undefined ? undefined : `Did you mean ${suggestion}?`,
  );
}

function asCommanderOption(key: string, option: Option<unknown>): CommanderOption {
  const value = option.kind === 'flag' ? '' : ` <${option.placeholder}>`;
  const notes = [
    ...(option.required ? ['required'] : []),
    ...(option.defaultText === null ? [] : [`default: ${option.defaultText}`]),
  ];
  const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const made = new CommanderOption(`${flagOf(key)}${value}`, `${option.description}${note}`);
  if (option.kind === 'list') {
    made.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  }
  return made;
}

function globalsOf(raw: Record<string, unknown>, settings: GlobalOptions['settings']): GlobalOptions {
  const text = (name: string) => (typeof raw[name] === 'string' ? raw[name] : undefined);
  const variable = text('adminKeyEnv');
  return {
    dataDir: text('dataDir'),
    configFile: text('config'),
    server: text('server'),
    workspace: text('workspace'),
    adminKeyEnv: variable === undefined ? undefined : environmentName(variable, '--admin-key-env'),
    json: raw.json === true,
    color: raw.color !== false,
    settings,
  };
}

function readArguments(definition: CommandDefinition, operands: string[], raw: Record<string, unknown>) {
  const args: Record<string, unknown> = {};
  for (const [index, [key, positional]] of Object.entries(definition.positionals).entries()) {
    args[key] = positional.read(operands[index]);
  }
  const expected = Object.keys(definition.positionals).length;
  if (operands.length > expected) {
    throw usageError(
      `"${definition.name}" takes ${expected} argument${expected === 1 ? '' : 's'}, not ${operands.length}.`,
      `See: tallygate ${definition.name} --help`,
    );
  }
  for (const [key, option] of Object.entries(definition.options))
    args[key] = option.read(raw[key], flagOf(key));
  return args;
}

function settingValues(settings: readonly SettingOption[], raw: Record<string, unknown>) {
  const given: Record<string, string | boolean> = {};
  for (const { name } of settings) {
    const value = raw[name];
    if (typeof value === 'string' || typeof value === 'boolean') given[name] = value;
  }
  return given;
}

function addCommand(
  parent: Command,
  definition: CommandDefinition,
  settings: readonly SettingOption[],
  found: (invocation: Invocation) => void,
): void {
  const words = definition.name.split(' ');
  const command = parent.command(words.at(-1) ?? definition.name);
  command.summary(definition.summary).description(definition.description).allowExcessArguments();
  for (const positional of Object.values(definition.positionals)) {
    const { placeholder, description, required } = positional;
    command.argument(required ? `<${placeholder}>` : `[${placeholder}]`, description);
  }
  for (const [key, option] of Object.entries(definition.options)) {
    command.addOption(asCommanderOption(key, option));
  }
  const offered = definition.takesSettings ? settings : [];
  for (const { flags, description } of offered) command.option(flags, description);
  const examples = definition.examples.map((it) => `  # ${it.explains}\n  tallygate ${it.command}`);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}\n`);
  command.action(() => {
    const raw: Record<string, unknown> = command.optsWithGlobals();
    const globals = globalsOf(raw, settingValues(offered, raw));
    found({ definition, globals, args: readArguments(definition, command.args, raw) });
  });
}

function nounCommand(program: Command, noun: string): Command {
  const existing = program.commands.find((command) => command.name() === noun);
  if (existing !== undefined) return existing;
  const summary = NOUNS[noun] ?? noun;
  return program.command(noun).summary(summary).description(`${summary}.`);
}

/** Where help goes. */
export interface HelpOutput {
  writeOut(text: string): void;
  writeError(text: string): void;
  columns: number;
}

function newProgram(output: HelpOutput, version: string): Command {
  const program = new Command('tallygate');
  program
    .description(
      'The self-hosted gate for LLM traffic: one door to every model, exact spend to the last token.',
    )
    .version(version, '--version', 'Print the version')
    .helpOption('--help', 'Show help')
    .helpCommand('help [command]', 'Show help for a command')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: output.writeOut,
      writeErr: output.writeError,
      outputError: () => {}, // errors are rendered once, by runCli
      getOutHelpWidth: () => output.columns,
      getErrHelpWidth: () => output.columns,
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 the command line or the configuration is wrong.\n',
    );
  for (const { flags, description } of GLOBAL_OPTIONS) program.option(flags, description);
  return program;
}

/**
 * Parses the arguments against these commands. Null when help or the version was asked for and printed.
 * @throws CliError `usage_error`
 */
export function parseArguments(
  argv: readonly string[],
  input: {
    definitions: readonly CommandDefinition[];
    settings: readonly SettingOption[];
    version: string;
    output: HelpOutput;
  },
): Invocation | null {
  let invocation: Invocation | null = null;
  const program = newProgram(input.output, input.version);
  for (const definition of input.definitions) {
    const [noun = '', verb] = definition.name.split(' ');
    const parent = verb === undefined ? program : nounCommand(program, noun);
    addCommand(parent, definition, input.settings, (found) => {
      invocation = found;
    });
  }
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === EXIT.ok) return null;
    // `tallygate keys` without a verb: commander has printed the help of the noun to standard error.
    if (error.code === 'commander.help')
      throw new CliError('usage_error', 'Name a command.', { exitCode: EXIT.usage });
    throw usageErrorFrom(error);
  }
  return invocation;
}

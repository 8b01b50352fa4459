import { CLI_ERROR_CODES } from '../cli-error.ts';
import type { CommandDefinition } from '../command.ts';
import { flagOf, type Option } from '../options/option.ts';
import { GLOBAL_OPTIONS } from '../program.ts';

const INTRO = `<!-- Generated from packages/cli/src by tools/generate-docs.mjs. Do not edit. -->

# Command line

In a clone the program is \`./tallygate\`; installed it is \`tallygate\`. \`--help\` after any command explains it.

## How it reaches the server

1. With \`--server URL\` (or \`TALLYGATE_SERVER\`): over the network, with an API key of the scope \`admin\` from the
   variable \`TALLYGATE_ADMIN_KEY\`, or from another one named with \`--admin-key-env\`. Only https, or http to this machine.
2. Otherwise, when a server runs on the data directory: through a socket in it that only its owner can use. No key needed.
3. Otherwise it opens the store itself. So everything can be set up before the first start and without a browser. Commands
   that only read never make a data directory; a mistyped path is an error.

The data directory is the one the server would use: \`--data-dir\`, then \`TALLYGATE_DATA_DIR\`, then the settings file, then
the default. See [settings](settings.md).

## Output

On a terminal tables are aligned and coloured (\`--no-color\` or \`NO_COLOR\` turn colours off). Anywhere else the columns are
separated by tabs, the first line names them. With \`--json\` standard output carries exactly one JSON value on one line;
\`requests --json\` prints one object a line, newest first. Amounts of money are exact decimal strings in JSON; unknown is
\`null\` (shown as – in tables), never zero. Notes and warnings go to standard error.

## Errors and exit codes

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it failed, or a check found something wrong (\`doctor\`, \`rollups verify\`, \`accounts test\`) |
| 2 | the command line or the configuration is wrong; nothing was done |

An error says what happened, why, and how to fix it, on standard error. With \`--json\` it is one line:
\`{"error":{"code","message","why"?,"fix"?,"details"?}}\`. The code is one of the [API's](errors/) or one of these:
`;

const SECRETS = `
## Secrets

No secret is ever an argument: other users of a machine can read those, and the shell keeps them. Options that end in
\`-env\` take the *name* of a variable; \`--api-key-stdin\` reads from standard input. What was read is never printed.
`;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  return [`| ${head.join(' | ')} |`, '|---|---|', ...rows.map(([a, b]) => `| ${a} | ${cell(b)} |`)].join(
    '\n',
  );
}

function optionRow([key, option]: [string, Option<unknown>]): [string, string] {
  const value = option.placeholder === '' ? '' : ` ${option.placeholder}`;
  const notes = [
    ...(option.required ? ['Required.'] : []),
    ...(option.kind === 'list' ? ['Repeat it or separate with commas.'] : []),
    ...(option.defaultText === null ? [] : [`Default: ${option.defaultText}.`]),
  ];
  return [
    `\`${flagOf(key)}${value}\``,
    [`${option.description}.`.replace(/\)\.$/, ').'), ...notes].join(' '),
  ];
}

function synopsis(definition: CommandDefinition): string {
  const required = Object.entries(definition.options).filter(([, option]) => option.required);
  const parts = [
    ...Object.values(definition.positionals).map((it) =>
      it.required ? it.placeholder : `[${it.placeholder}]`,
    ),
    ...required.map(([key, option]) => `${flagOf(key)} ${option.placeholder}`),
  ];
  return ['tallygate', definition.name, ...parts, '[options]'].join(' ');
}

function commandSection(definition: CommandDefinition): string {
  const positionals = Object.values(definition.positionals);
  const options = Object.entries(definition.options).map(optionRow);
  const rows = [
    ...positionals.map((it): [string, string] => [`\`${it.placeholder}\``, `${it.description}.`]),
    ...options,
  ];
  const settings = definition.takesSettings
    ? '\n\nEvery [setting](settings.md) that has a flag is an option too, such as `--port`.'
    : '';
  const examples = definition.examples.map((it) => `# ${it.explains}\ntallygate ${it.command}`).join('\n\n');
  return [
    `## ${definition.name}`,
    definition.description,
    `\`\`\`\n${synopsis(definition)}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table(['option', 'meaning'], rows)]),
    `\`\`\`sh\n${examples}\n\`\`\``,
  ]
    .join('\n\n')
    .replace(/(\n\n```sh)/, `${settings}$1`);
}

/** The text of docs/cli.md: all of it follows from the commands as they are. */
export function renderDocs(definitions: readonly CommandDefinition[]): string {
  const codes = Object.entries(CLI_ERROR_CODES).map(([code, meaning]): [string, string] => [
    `\`${code}\``,
    meaning,
  ]);
  const globals = GLOBAL_OPTIONS.map(({ flags, description }): [string, string] => [
    `\`${flags.replace(/[<>]/g, '')}\``,
    `${description}.`,
  ]);
  const summaries = definitions.map((it): [string, string] => [
    `[${it.name}](#${it.name.replaceAll(' ', '-')})`,
    `${it.summary}.`,
  ]);
  return `${[
    `${INTRO}\n${table(['code', 'meaning'], codes)}`,
    SECRETS.trim(),
    `## Options of every command\n\n${table(['option', 'meaning'], globals)}`,
    `## Commands\n\n${table(['command', 'what it does'], summaries)}`,
    ...definitions.map(commandSection),
  ].join('\n\n')}\n`;
}

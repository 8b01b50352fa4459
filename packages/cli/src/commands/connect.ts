import { join } from 'node:path';
import { CliError, usageError } from '../cli-error.ts';
import { namedServer } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_IDS, CLIENTS, type ClientId, type ClientSettings } from '../connect/clients.ts';
import type { CommandContext } from '../context.ts';
import { argument, flag, optional } from '../options/option.ts';
import { environmentName, httpUrl, oneOf } from '../options/parsers.ts';

const PLACEHOLDER = '<your Tallygate key>';
/** Addresses that mean "every interface": a client on this machine reaches them by loopback. */
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

async function baseUrlOf(context: CommandContext, given: string | undefined): Promise<string> {
  if (given !== undefined) return given.replace(/\/+$/, '');
  const server = namedServer(context.terminal, context.globals);
  if (server !== null) return `${server.origin}${server.pathname}`.replace(/\/+$/, '');
  const { host, port, tlsCertFile, allowedHosts } = (await context.settings()).config;
  if (port === 0) {
    throw usageError(
      'The port is chosen when the server starts (port 0).',
      'Give the address it printed with --base-url.',
    );
  }
  const address = ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host);
  if (tlsCertFile === null) return `http://${address}:${port}`;
  // A certificate is made out to a name; the address alone would not pass a client's check.
  return `https://${allowedHosts[0] ?? address}${port === 443 ? '' : `:${port}`}`;
}

interface KeyArguments {
  client: ClientId;
  keyEnv: string | undefined;
  createKey: boolean;
}

/** What goes where the key goes. Printed settings name a variable instead of its value: they end up in terminals and chats. */
async function keyFor(context: CommandContext, args: KeyArguments) {
  if (args.keyEnv !== undefined && args.createKey) {
    throw usageError('--key-env and --create-key exclude each other.', 'Give one of them.');
  }
  if (args.createKey) {
    const api = await context.connect('write');
    const { key } = await api.keys.create({ name: args.client, scopes: ['gateway'] });
    return { shown: key, value: key };
  }
  if (args.keyEnv !== undefined) {
    return { shown: `$${args.keyEnv}`, value: context.secretFromEnvironment(args.keyEnv) };
  }
  return { shown: PLACEHOLDER, value: null };
}

function settingsText(context: CommandContext, settings: ClientSettings): string {
  const snippets = settings.snippets.map(({ where, text }) => `${context.style.bold(where)}\n\n${text}\n`);
  const notes = settings.notes.map((note) => `- ${note}\n`).join('');
  return `${[`${settings.title}\n`, ...snippets, ...(notes === '' ? [] : [notes])].join('\n')}`;
}

async function write(context: CommandContext, baseUrl: string, key: string): Promise<void> {
  const { writeClaudeSettings } = await import('../connect/write-claude-settings.ts');
  const { env, homeDir } = context.terminal;
  const folder = env.CLAUDE_CONFIG_DIR || join(homeDir, '.claude');
  const variables = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: key };
  const written = await writeClaudeSettings(join(folder, 'settings.json'), variables, context.terminal.now());
  if (env.ANTHROPIC_API_KEY) {
    written.warnings.push(
      'ANTHROPIC_API_KEY is set in this shell: Claude Code then sends two credentials. Unset it.',
    );
  }
  context.result({ client: 'claude-code', baseUrl, ...written }, () => {
    if (!written.changed) return `${written.path} already says so; nothing was changed.\n`;
    const kept = written.backup === null ? '' : ` The file as it was: ${written.backup}`;
    return `Claude Code now uses ${baseUrl} (${written.path}).${kept}\n`;
  });
  if (!context.json) for (const warning of written.warnings) context.note(`warning: ${warning}`);
}

export const connect = defineCommand({
  name: 'connect',
  summary: 'Settings that point a client at the gate',
  description:
    `Prints what a client needs to send its requests through the gate. CLIENT is one of: ${CLIENT_IDS.join(', ')}. ` +
    'For Claude Code, --write merges it into ~/.claude/settings.json (or CLAUDE_CONFIG_DIR): everything else in the ' +
    'file is kept, and the file as it was is kept beside it.',
  takesSettings: true,
  positionals: { client: argument('CLIENT', 'The client to connect', oneOf(CLIENT_IDS)) },
  options: {
    baseUrl: optional(
      'URL',
      'Address of the gate as the client sees it (default: from the settings)',
      httpUrl,
    ),
    keyEnv: optional('VAR', 'Environment variable that holds the API key of the client', environmentName),
    createKey: flag('Create a key for this client, with the scope gateway'),
    write: flag('Write the settings instead of printing them (claude-code)'),
  },
  examples: [
    { command: 'connect claude-code --create-key --write', explains: 'Set up Claude Code in one go' },
    { command: 'connect openai', explains: 'What an OpenAI SDK needs' },
    {
      command: 'connect curl --key-env TALLYGATE_API_KEY',
      explains: 'Requests to try, with the key from a variable',
    },
  ],
  async handler(context, args) {
    if (args.write && args.client !== 'claude-code') {
      throw usageError(
        `--write knows only claude-code, not ${args.client}.`,
        'Leave it out, and copy what is printed.',
      );
    }
    if (args.write && args.keyEnv === undefined && !args.createKey) {
      throw new CliError('credential_missing', 'There is no key to write.', {
        fix: 'Name the variable that holds one with --key-env VAR, or make one with --create-key.',
        exitCode: 2,
      });
    }
    const baseUrl = await baseUrlOf(context, args.baseUrl);
    const key = await keyFor(context, args);
    if (args.write && key.value !== null) {
      await write(context, baseUrl, key.value);
      return undefined;
    }
    const settings = CLIENTS[args.client]({ baseUrl, key: key.shown });
    context.result({ client: args.client, baseUrl, ...settings }, () => settingsText(context, settings));
    return undefined;
  },
});

import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { argument, flag, list, optional, required } from '../../options/option.ts';
import { environmentName, httpUrl, integer } from '../../options/parsers.ts';
import { bindingsOf } from './bindings.ts';
import { SIGN_IN_OPTIONS, signIn } from './sign-in.ts';

async function credential(
  context: CommandContext,
  variable: string | undefined,
  fromInput: boolean,
): Promise<string | undefined> {
  if (variable !== undefined && fromInput) {
    throw usageError('--api-key-env and --api-key-stdin exclude each other.', 'Give one of them.');
  }
  if (fromInput) return context.secretFromInput();
  return variable === undefined ? undefined : context.secretFromEnvironment(variable);
}

/** What was given, without what was not. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof given<T>
  >;
}

export const accountsAdd = defineCommand({
  name: 'accounts add',
  summary: 'Add an upstream account',
  description:
    'Adds the credential that requests are sent upstream with. It is read from an environment variable or from ' +
    'standard input, sealed, and never shown again. PROVIDER is anthropic, openai, gemini, azure, bedrock or compatible (any other ' +
    'OpenAI-compatible service; name one with --preset, or give its --base-url).',
  positionals: { provider: argument('PROVIDER', 'anthropic, openai, gemini, azure, bedrock or compatible') },
  options: {
    name: required('NAME', 'What to call the account'),
    apiKeyEnv: optional('VAR', 'Environment variable that holds its API key', environmentName),
    apiKeyStdin: flag('Read its API key from standard input'),
    baseUrl: optional('URL', "Where to send requests, when not the provider's own address", httpUrl),
    preset: optional('ID', 'Known compatible service: ollama, openrouter, deepseek, …'),
    allowPrivateUpstream: flag('Permit an upstream on this machine or in a private network'),
    pinSha256: list(
      'PINS',
      'Public keys its certificate may have: base64 of the SHA-256, as sha256// or bare (default: any valid one)',
    ),
    models: list('PATTERNS', 'Models it serves, * matches any run of characters (default: every model)'),
    priority: optional('N', 'Lower goes first, 0 to 1000 (default: 100)', integer(0, 1000)),
    weight: optional('N', 'Share of the calls beside equals, 1 to 1000 (default: 1)', integer(1, 1000)),
    tier: optional('N', 'Size of its plan compared with the others, such as 1, 5 or 20', integer(1, 1000)),
    notes: optional('TEXT', 'For you'),
    bind: list('WHO', 'Serve only these: project:SLUG or key:NAME (default: everybody)'),
    oauth: flag('Sign in with OAuth instead of an API key (off until the operator permits it)'),
    ...SIGN_IN_OPTIONS,
  },
  examples: [
    {
      command: 'accounts add anthropic --name main --api-key-env ANTHROPIC_API_KEY',
      explains: 'The key from a variable',
    },
    {
      command: 'accounts add compatible --name local --preset ollama --allow-private-upstream',
      explains: 'A model server on this machine, which takes no key',
    },
    {
      command: 'accounts add anthropic --name team --oauth --terms-read --client-id my-client',
      explains: 'Sign in with OAuth: opens nothing, prints the address and waits for the code',
    },
    {
      command:
        'accounts add openai --name eu --base-url https://eu.example.com --api-key-stdin --models "gpt-*" --json < key-file',
      explains: 'The key from a file, another address, some models only; JSON: {"id",…}',
    },
  ],
  async handler(context, { provider, name, apiKeyEnv, apiKeyStdin, oauth, ...rest }) {
    if (oauth && (apiKeyEnv !== undefined || apiKeyStdin)) {
      throw usageError('--oauth and an API key exclude each other.', 'Give one of them.');
    }
    const apiKey = await credential(context, apiKeyEnv, apiKeyStdin);
    const api = await context.connect('write');
    const described = {
      provider,
      name,
      ...(rest.baseUrl === undefined ? {} : { baseUrl: rest.baseUrl }),
      ...(rest.preset === undefined ? {} : { preset: rest.preset }),
      ...(rest.allowPrivateUpstream ? { allowPrivateUpstream: true } : {}),
      ...(rest.pinSha256.length === 0
        ? {}
        : { pinSha256: rest.pinSha256.map((pin) => pin.replace(/^sha256\/\//, '')) }),
      ...(rest.models.length === 0 ? {} : { models: rest.models }),
      ...given({
        priority: rest.priority,
        weight: rest.weight,
        tier: rest.tier,
        notes: rest.notes,
      }),
      ...(rest.bind.length === 0 ? {} : { boundTo: await bindingsOf(api, rest.bind) }),
    };
    const account = oauth
      ? await signIn(context, api, { about: { account: described }, options: rest })
      : await api.accounts.create({ ...described, ...(apiKey === undefined ? {} : { apiKey }) });
    context.result(
      account,
      () =>
        `Account ${account.name} (${account.provider}, ${account.baseUrl}) is added. Id: ${account.id}\n` +
        `Try it: tallygate accounts test ${account.id}\n`,
    );
    return undefined;
  },
});

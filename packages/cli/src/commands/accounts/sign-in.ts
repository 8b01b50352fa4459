import type { AccountView } from '@tallygate/contract/api/accounts';
import { OAUTH_TOKEN_FORMATS, type OauthSessionCreate } from '@tallygate/contract/api/oauth';
import { CliError, usageError } from '../../cli-error.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import type { ArgsOf } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { flag, list, optional } from '../../options/option.ts';
import { environmentName, httpUrl, oneOf } from '../../options/parsers.ts';
import { isLoopbackCallback, waitForCallback } from './oauth-callback.ts';

const MAX_CODE_BYTES = 8192;

/** Options of every command that signs in; what is left out is as the account had it, or as the settings say. */
export const SIGN_IN_OPTIONS = {
  termsRead: flag('The notice about the provider’s terms was read (without it the notice is shown)'),
  clientId: optional('ID', 'OAuth client id that you registered with the provider'),
  clientSecretEnv: optional('VAR', 'Environment variable that holds the client secret', environmentName),
  authorizeUrl: optional('URL', 'Page of the provider where you agree', httpUrl),
  tokenUrl: optional('URL', 'Token endpoint of the provider', httpUrl),
  redirectUri: optional(
    'URL',
    'Where the provider sends the code; http://127.0.0.1:PORT/… is waited for here',
    httpUrl,
  ),
  scopes: list('SCOPES', 'Scopes to ask for'),
  tokenFormat: optional(
    'FORMAT',
    `How the token endpoint is asked: ${OAUTH_TOKEN_FORMATS.join(' or ')}`,
    oneOf(OAUTH_TOKEN_FORMATS),
  ),
} as const;

type SignInOptions = ArgsOf<typeof SIGN_IN_OPTIONS, Record<never, never>>;

function clientOf(context: CommandContext, options: SignInOptions): OauthSessionCreate['client'] {
  const { clientId, authorizeUrl, tokenUrl, redirectUri, scopes, tokenFormat, clientSecretEnv } = options;
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(authorizeUrl === undefined ? {} : { authorizeUrl }),
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(tokenFormat === undefined ? {} : { tokenFormat }),
    ...(clientSecretEnv === undefined
      ? {}
      : { clientSecret: context.secretFromEnvironment(clientSecretEnv) }),
  };
}

async function pastedCode(context: CommandContext): Promise<string> {
  if (context.terminal.inputIsTerminal)
    context.note('Paste the code, or the whole address you were led to, and press Enter:');
  const code = (await context.terminal.readLine(MAX_CODE_BYTES)).trim();
  if (code !== '') return code;
  throw new CliError('credential_missing', 'No code was given.', { fix: 'Begin again and paste the code.' });
}

/** Signs in, from the notice to the tokens; what has to be opened and pasted goes to standard error. */
export async function signIn(
  context: CommandContext,
  api: AdminApi,
  { about, options }: { about: Pick<OauthSessionCreate, 'account' | 'accountId'>; options: SignInOptions },
): Promise<AccountView> {
  if (!options.termsRead) {
    const { notice } = await api.accounts.oauthSettings();
    throw usageError(`--terms-read is missing. ${notice}`, 'Add --terms-read once you have read them.');
  }
  const client = clientOf(context, options);
  const begun = await api.accounts.beginSignIn({ ...about, client, termsRead: true });
  const local = isLoopbackCallback(begun.redirectUri);
  const waiting = local ? await waitForCallback(begun.redirectUri, Date.parse(begun.expiresAt)) : null;
  context.note(`Open this address in a browser:\n\n  ${begun.authorizeUrl}\n`);
  const stopListening = waiting === null ? () => undefined : context.terminal.onInterrupt(waiting.cancel);
  try {
    const code = waiting === null ? await pastedCode(context) : await waiting.address;
    return await api.accounts.completeSignIn({ sessionId: begun.sessionId, code });
  } finally {
    stopListening();
    waiting?.cancel();
  }
}

import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { SIGN_IN_OPTIONS, signIn } from './sign-in.ts';

export const accountsLogin = defineCommand({
  name: 'accounts login',
  summary: 'Sign an upstream account in again with OAuth',
  description:
    'Gets new tokens for an account that signs in with OAuth, from the client and addresses it had unless others are ' +
    'given. Prints the address to open in a browser; then waits for the provider to come back to this machine, or ' +
    'for the code to be pasted, whichever its redirect address asks for.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  options: SIGN_IN_OPTIONS,
  examples: [{ command: 'accounts login team --terms-read', explains: 'The account needs new tokens' }],
  async handler(context, { account, ...options }) {
    const api = await context.connect('write');
    const found = findResource(account, (await api.accounts.list()).accounts, 'account');
    const changed = await signIn(context, api, { about: { accountId: found.id }, options });
    context.result(changed, () => `Account ${changed.name} is signed in.\n`);
    return undefined;
  },
});

import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const accountsRemove = defineCommand({
  name: 'accounts remove',
  summary: 'Delete an upstream account and its credential',
  description:
    'Deletes the account and its sealed credential for good. What was sent with it stays in the ledger. ' +
    'To stop using it for a while, pause it instead.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  examples: [{ command: 'accounts remove main', explains: 'Delete by name' }],
  async handler(context, { account }) {
    const api = await context.connect('write');
    const found = findResource(account, (await api.accounts.list()).accounts, 'account');
    await api.accounts.remove(found.id);
    context.result(
      { id: found.id, removed: true },
      () => `Account ${found.name} is removed with its credential. Its requests stay in the ledger.\n`,
    );
    return undefined;
  },
});

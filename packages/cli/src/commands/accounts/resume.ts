import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const accountsResume = defineCommand({
  name: 'accounts resume',
  summary: 'Send requests with a paused account again',
  description: 'Requests may use the account again, at once.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  examples: [{ command: 'accounts resume main', explains: 'Resume by name' }],
  async handler(context, { account }) {
    const api = await context.connect('write');
    const found = findResource(account, (await api.accounts.list()).accounts, 'account');
    const changed = await api.accounts.setPaused(found.id, false);
    context.result(changed, () => `Account ${changed.name} is active again.\n`);
    return undefined;
  },
});

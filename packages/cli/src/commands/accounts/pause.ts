import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const accountsPause = defineCommand({
  name: 'accounts pause',
  summary: 'Stop sending requests with an account',
  description:
    'Requests no longer use the account; the ones that run are finished. Its credential stays stored.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  examples: [{ command: 'accounts pause main', explains: 'Pause by name' }],
  async handler(context, { account }) {
    const api = await context.connect('write');
    const found = findResource(account, (await api.accounts.list()).accounts, 'account');
    const changed = await api.accounts.setPaused(found.id, true);
    context.result(
      changed,
      () => `Account ${changed.name} is paused. Resume it: tallygate accounts resume ${changed.id}\n`,
    );
    return undefined;
  },
});

import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, flag, list, optional } from '../../options/option.ts';
import { integer } from '../../options/parsers.ts';
import { bindingsOf } from './bindings.ts';

export const accountsUpdate = defineCommand({
  name: 'accounts update',
  summary: 'Change how an upstream account is used',
  description: 'Changes what is given and leaves the rest. The next request goes by it.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  options: {
    name: optional('NAME', 'Another name'),
    models: list('PATTERNS', 'Models it serves from now on, * matches any run of characters'),
    priority: optional('N', 'Lower goes first, 0 to 1000', integer(0, 1000)),
    weight: optional('N', 'Share of the calls beside equals, 1 to 1000', integer(1, 1000)),
    tier: optional('N', 'Size of its plan compared with the others, such as 1, 5 or 20', integer(1, 1000)),
    notes: optional('TEXT', 'For you'),
    bind: list('WHO', 'Serve only these: project:SLUG or key:NAME'),
    unbind: flag('Serve everybody again'),
  },
  examples: [
    { command: 'accounts update main --tier 20 --priority 10', explains: 'A larger plan, tried first' },
    { command: 'accounts update main --bind project:web', explains: 'For one project only' },
  ],
  async handler(context, { account: wanted, models, bind, unbind, ...rest }) {
    if (unbind && bind.length > 0)
      throw usageError('--bind and --unbind exclude each other.', 'Give one of them.');
    const change = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const api = await context.connect('write');
    const body = {
      ...change,
      ...(models.length === 0 ? {} : { models }),
      ...(unbind ? { boundTo: [] } : {}),
      ...(bind.length === 0 ? {} : { boundTo: await bindingsOf(api, bind) }),
    };
    if (Object.keys(body).length === 0) throw usageError('Nothing to change.', 'Give at least one option.');
    const { id } = findResource(wanted, (await api.accounts.list()).accounts, 'account');
    const account = await api.accounts.update(id, body);
    context.result(account, () => `Account ${account.name} is changed.\n`);
    return undefined;
  },
});

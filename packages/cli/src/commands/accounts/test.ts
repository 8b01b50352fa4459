import { EXIT } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { formatMs } from '../../output/numbers.ts';
import { printable } from '../../output/style.ts';

export const accountsTest = defineCommand({
  name: 'accounts test',
  summary: 'Try an upstream account',
  description:
    'Asks the upstream for its models with the credential of the account: nothing that costs tokens. ' +
    'Exit code 1 when it does not work.',
  positionals: { account: argument('ACCOUNT', 'Id or name of the account') },
  examples: [{ command: 'accounts test main', explains: 'Does the key still work?' }],
  async handler(context, { account }) {
    const api = await context.connect('read');
    const found = findResource(account, (await api.accounts.list()).accounts, 'account');
    const result = await api.accounts.test(found.id);
    context.result({ id: found.id, ...result }, () => {
      const mark = result.ok ? context.style.green('ok') : context.style.red('fail');
      const took = result.latencyMs === null ? '' : ` (${formatMs(result.latencyMs)})`;
      const models = result.models.length === 0 ? '' : `Models: ${result.models.map(printable).join(', ')}\n`;
      return `${mark}  ${found.name}: ${printable(result.message)}${took}\n${models}`;
    });
    return result.ok ? EXIT.ok : EXIT.failed;
  },
});

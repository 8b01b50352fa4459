import { ROTATE_ALL_CONFIRMATION } from '@tallygate/contract/api/incident';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { flag } from '../../options/option.ts';

export const incidentRotateAll = defineCommand({
  name: 'incident rotate-all',
  summary: 'Revoke every API key',
  description:
    'Every key stops working at once, those with the scope "admin" included, and none comes back: whoever needs one ' +
    'gets a new one with "tallygate keys create". What was booked on the old ones stays in the ledger.',
  options: { yes: flag('Yes, revoke every key; without it nothing is done') },
  examples: [{ command: 'incident rotate-all --yes', explains: 'When you do not know which key leaked' }],
  async handler(context, { yes }) {
    if (!yes) {
      throw usageError(
        'This revokes every API key, and none comes back.',
        'Say that you mean it: add --yes.',
      );
    }
    const api = await context.connect('write');
    const done = await api.incident.rotateAll({ confirm: ROTATE_ALL_CONFIRMATION });
    context.result(
      done,
      () => `${done.revoked} keys are revoked. Make new ones: tallygate keys create --name NAME\n`,
    );
    return undefined;
  },
});

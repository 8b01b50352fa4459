import { ruleCreateRequest } from '@tallygate/contract/api/rules';
import { CliError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { readJsonFile } from './read-json-file.ts';

export const rulesAdd = defineCommand({
  name: 'rules add',
  summary: 'Add a rule from a JSON file',
  description:
    'Adds the rule at the end. The file holds {"name", "conditions", "actions"}; docs/rules.md lists what both may be.',
  positionals: { file: argument('FILE', 'JSON file with the rule') },
  examples: [{ command: 'rules add cheap-reviews.json', explains: 'A rule from a file' }],
  async handler(context, { file }) {
    const parsed = ruleCreateRequest.safeParse(await readJsonFile(file));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new CliError(
        'invalid_file',
        `${file} holds no rule: ${issue?.path.join('.')}: ${issue?.message}`,
      );
    }
    const api = await context.connect('write');
    const rule = await api.rules.create(parsed.data);
    context.result(rule, () => `Rule ${rule.name} is added. Id: ${rule.id}\n`);
    return undefined;
  },
});

import { defineCommand } from '../../command.ts';
import { argument, optional } from '../../options/option.ts';

export const workspacesCreate = defineCommand({
  name: 'workspaces create',
  summary: 'Create a workspace',
  description:
    'Creates a workspace with a default project. It has projects, keys, accounts, budgets, figures and people of its ' +
    'own and sees nothing of the others. Invite the first person with users invite --role owner --workspace SLUG. It ' +
    'cannot be removed, because the ledger refers to it.',
  positionals: { slug: argument('SLUG', 'Short name: lower-case letters, digits and dashes') },
  options: { name: optional('NAME', 'Name to show (default: the slug)') },
  examples: [
    {
      command: 'workspaces create research --name "Research"',
      explains: 'A workspace with a name of its own',
    },
  ],
  async handler(context, { slug, name }) {
    const api = await context.connect('write');
    const made = await api.workspaces.create({ slug, ...(name === undefined ? {} : { name }) });
    context.result(made, () => `Workspace ${made.slug} is created. Id: ${made.id}\n`);
    return undefined;
  },
});

import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';

export const workspacesList = defineCommand({
  name: 'workspaces list',
  summary: 'List workspaces',
  description:
    'Lists the workspaces of the installation. The first is the one it began with; its owners own the installation.',
  examples: [
    { command: 'workspaces list', explains: 'Every workspace' },
    { command: 'workspaces list --json', explains: 'The same as JSON: {"workspaces":[…]}' },
  ],
  async handler(context) {
    const api = await context.connect('read');
    const { workspaces } = await api.workspaces.list();
    context.result({ workspaces }, () =>
      context.table(workspaces, [
        { header: 'SLUG', value: (workspace) => workspace.slug },
        { header: 'NAME', value: (workspace) => workspace.name },
        { header: 'FIRST', value: (workspace) => (workspace.first ? 'yes' : 'no') },
        { header: 'CREATED (UTC)', value: (workspace) => formatInstant(workspace.createdAt) },
        { header: 'ID', value: (workspace) => workspace.id },
      ]),
    );
    return undefined;
  },
});

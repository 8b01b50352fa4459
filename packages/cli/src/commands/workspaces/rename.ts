import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findWorkspace } from './find-workspace.ts';

export const workspacesRename = defineCommand({
  name: 'workspaces rename',
  summary: 'Give a workspace another name to show',
  description: 'Changes the name that people see. The slug stays, because scripts use it.',
  positionals: {
    workspace: argument('WORKSPACE', 'Slug or id of the workspace'),
    name: argument('NAME', 'The new name'),
  },
  examples: [{ command: 'workspaces rename research "Applied research"', explains: 'By slug' }],
  async handler(context, { workspace, name }) {
    const api = await context.connect('write');
    const found = await findWorkspace(api, workspace);
    const changed = await api.workspaces.update(found.id, { name });
    context.result(changed, () => `Workspace ${changed.slug} is called ${changed.name} now.\n`);
    return undefined;
  },
});

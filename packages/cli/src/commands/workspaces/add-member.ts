import { defineCommand } from '../../command.ts';
import { argument, required } from '../../options/option.ts';
import { findWorkspace } from './find-workspace.ts';

export const workspacesAddMember = defineCommand({
  name: 'workspaces add-member',
  summary: 'Let somebody who can sign in already into a workspace as well',
  description:
    'Gives a user a role in one more workspace; in those they belong to already nothing changes. Somebody new is ' +
    'invited instead: tallygate users invite --role ROLE --workspace SLUG.',
  positionals: {
    workspace: argument('WORKSPACE', 'Slug or id of the workspace'),
    user: argument('USER', 'Name they sign in with'),
  },
  options: {
    role: required('ROLE', 'owner, admin, manager, developer, viewer, auditor, or a role of your own'),
  },
  examples: [
    { command: 'workspaces add-member research mira --role developer', explains: 'One more for Mira' },
  ],
  async handler(context, { workspace, user, role }) {
    const api = await context.connect('write');
    const found = await findWorkspace(api, workspace);
    const added = await api.workspaces.addMember(found.id, { username: user, role });
    context.result(added, () => `${added.username} is ${added.role} in ${found.slug} now.\n`);
    return undefined;
  },
});

import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument, flag, list } from '../../options/option.ts';
import { findWorkspace } from './find-workspace.ts';

export const workspacesAddresses = defineCommand({
  name: 'workspaces addresses',
  summary: 'Set where the people and keys of a workspace may come from',
  description:
    'Replaces the addresses that are let into a workspace, at once and for people and keys alike; others get 403 ' +
    'client_not_allowed. The machine of the server itself is not concerned, so this command always works there.',
  positionals: { workspace: argument('WORKSPACE', 'Slug or id of the workspace') },
  options: {
    allow: list('CIDRS', 'Addresses or ranges, such as 10.0.0.0/8', (text) => text),
    any: flag('Lets everybody in again'),
  },
  examples: [
    { command: 'workspaces addresses research --allow 10.0.0.0/8', explains: 'One network' },
    { command: 'workspaces addresses research --any', explains: 'Anywhere again' },
  ],
  async handler(context, { workspace, allow, any }) {
    const allowedAddresses = allow ?? [];
    if (any === allowedAddresses.length > 0) throw usageError('Say --allow CIDRS, or --any.');
    const api = await context.connect('write');
    const found = await findWorkspace(api, workspace);
    const changed = await api.workspaces.update(found.id, { allowedAddresses });
    const words = allowedAddresses.length === 0 ? 'any address' : allowedAddresses.join(', ');
    context.result(changed, () => `Workspace ${changed.slug} lets in ${words}.\n`);
    return undefined;
  },
});

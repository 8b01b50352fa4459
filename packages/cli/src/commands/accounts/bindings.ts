import { CliError, usageError } from '../../cli-error.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

/** `project:SLUG` and `key:NAME` with the ids that the server keeps. @throws CliError for what is not there */
export async function bindingsOf(api: AdminApi, wanted: readonly string[]): Promise<string[]> {
  const { projects } = await api.projects.list();
  const { keys } = await api.keys.list();
  return wanted.map((text) => {
    const [kind, name = ''] = text.split(/:(.*)/s);
    if (kind === 'key') return `key:${findResource(name, keys, 'key').id}`;
    if (kind !== 'project') throw usageError('--bind takes project:SLUG or key:NAME.');
    const project = projects.find(({ id, slug }) => id === name || slug === name);
    if (project === undefined)
      throw new CliError('resource_not_found', `There is no project with that slug or id: ${name}`, {
        fix: 'See: tallygate projects list',
      });
    return `project:${project.id}`;
  });
}

import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument, optional } from '../../options/option.ts';
import { oneOf } from '../../options/parsers.ts';
import { ENVIRONMENTS, POLICIES } from './create.ts';

export const projectsUpdate = defineCommand({
  name: 'projects update',
  summary: 'Change a project',
  description:
    'Changes the name of a project, what its traffic is for, or what happens when its clients leave. All of its ' +
    'traffic, also that of the past, is shown under the new environment.',
  positionals: { project: argument('PROJECT', 'Slug or id of the project') },
  options: {
    name: optional('NAME', 'Name to show'),
    environment: optional(
      'ENVIRONMENT',
      `What its traffic is for: ${ENVIRONMENTS.join(', ')}`,
      oneOf(ENVIRONMENTS),
    ),
    onDisconnect: optional(
      'POLICY',
      'What happens upstream when a client leaves: abort or drain',
      oneOf(POLICIES),
    ),
  },
  examples: [{ command: 'projects update web --environment staging', explains: 'Keep it out of production' }],
  async handler(context, { project: wanted, name, environment, onDisconnect }) {
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(environment === undefined ? {} : { environment }),
      ...(onDisconnect === undefined ? {} : { disconnectPolicy: onDisconnect }),
    };
    if (Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'Give --name, --environment or --on-disconnect.');
    const api = await context.connect('write');
    const { projects } = await api.projects.list();
    const found = projects.find(({ id, slug }) => id === wanted || slug === wanted);
    if (found === undefined) throw usageError(`There is no project "${wanted}".`, 'tallygate projects list');
    const project = await api.projects.update(found.id, change);
    context.result(project, () => `Project ${project.slug}: ${project.name}, ${project.environment}.\n`);
    return undefined;
  },
});

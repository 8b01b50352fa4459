import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';

export const projectsList = defineCommand({
  name: 'projects list',
  summary: 'List projects',
  description: 'Lists the projects that keys and spend belong to.',
  examples: [{ command: 'projects list', explains: 'Every project' }],
  async handler(context) {
    const api = await context.connect('read');
    const { projects } = await api.projects.list();
    context.result({ projects }, () =>
      context.table(projects, [
        { header: 'SLUG', value: (project) => project.slug },
        { header: 'NAME', value: (project) => project.name },
        { header: 'ENVIRONMENT', value: (project) => project.environment },
        { header: 'ON DISCONNECT', value: (project) => project.disconnectPolicy },
        { header: 'CREATED (UTC)', value: (project) => formatInstant(project.createdAt) },
        { header: 'ID', value: (project) => project.id },
      ]),
    );
    return undefined;
  },
});

import type { DisconnectPolicy, Environment } from '@tallygate/contract/api/projects';
import { defineCommand } from '../../command.ts';
import { argument, optional } from '../../options/option.ts';
import { oneOf } from '../../options/parsers.ts';

/** A test checks it against the contract. */
export const POLICIES = ['abort', 'drain'] as const satisfies DisconnectPolicy[];

/** A test checks these against the contract. */
export const ENVIRONMENTS = ['production', 'staging', 'development', 'test'] as const satisfies Environment[];

export const projectsCreate = defineCommand({
  name: 'projects create',
  summary: 'Create a project',
  description:
    'Creates a project. Keys of a project book everything they send on it. When a client leaves early, "abort" stops ' +
    'the upstream at once; "drain" reads on, within a bound, to learn the exact usage.',
  positionals: { slug: argument('SLUG', 'Short name: lower-case letters, digits and dashes') },
  options: {
    name: optional('NAME', 'Name to show (default: the slug)'),
    environment: optional(
      'ENVIRONMENT',
      `What its traffic is for: ${ENVIRONMENTS.join(', ')} (default: production)`,
      oneOf(ENVIRONMENTS),
    ),
    onDisconnect: optional(
      'POLICY',
      'What happens upstream when a client leaves: abort or drain',
      oneOf(POLICIES),
    ),
  },
  examples: [
    { command: 'projects create web --name "Web shop"', explains: 'A project with a name of its own' },
    { command: 'projects create batch --on-disconnect drain', explains: 'Exact usage of aborted requests' },
  ],
  async handler(context, { slug, name, environment, onDisconnect }) {
    const api = await context.connect('write');
    const project = await api.projects.create({
      slug,
      ...(name === undefined ? {} : { name }),
      ...(environment === undefined ? {} : { environment }),
      ...(onDisconnect === undefined ? {} : { disconnectPolicy: onDisconnect }),
    });
    context.result(project, () => `Project ${project.slug} is created. Id: ${project.id}\n`);
    return undefined;
  },
});

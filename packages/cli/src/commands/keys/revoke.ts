import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const keysRevoke = defineCommand({
  name: 'keys revoke',
  summary: 'Make an API key stop working',
  description: 'Revokes a key for good. What was booked on it stays in the ledger.',
  positionals: { key: argument('KEY', 'Id or name of the key') },
  examples: [
    { command: 'keys revoke laptop', explains: 'Revoke by name' },
    { command: 'keys revoke 0199a3c2-… --json', explains: 'Revoke by id, answer as JSON' },
  ],
  async handler(context, { key }) {
    const api = await context.connect('write');
    const { keys } = await api.keys.list();
    // A name may be used again after its key was revoked: then it means the one that still works.
    const named = keys.filter((it) => it.id === key || it.revokedAt === null);
    const found = findResource(
      key,
      named.some((it) => it.name === key || it.id === key) ? named : keys,
      'key',
    );
    if (found.revokedAt === null) await api.keys.revoke(found.id);
    const already = found.revokedAt !== null;
    context.result({ id: found.id, revoked: true, alreadyRevoked: already }, () =>
      already
        ? `Key ${found.name} was revoked before.\n`
        : `Key ${found.name} (${found.prefix}) is revoked. Requests with it fail from now on.\n`,
    );
    return undefined;
  },
});

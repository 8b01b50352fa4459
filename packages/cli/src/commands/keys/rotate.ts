import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, optional } from '../../options/option.ts';
import { durationMs } from '../../options/parsers.ts';

export const keysRotate = defineCommand({
  name: 'keys rotate',
  summary: 'Give an API key a new secret',
  description:
    'Makes a new secret for a key and shows it once. With --overlap the old one works on for that long, so that ' +
    'clients can be changed without a gap; without it the old one fails at once and its running requests are cut. ' +
    'Name, limits and everything booked on the key stay.',
  positionals: { key: argument('KEY', 'Id or name of the key') },
  options: {
    overlap: optional(
      'TIME',
      'How long the old secret goes on working, such as 1h (default: not at all)',
      durationMs,
    ),
  },
  examples: [
    { command: 'keys rotate ci --overlap 1h', explains: 'An hour to change the clients' },
    { command: 'keys rotate ci --json', explains: 'The old secret got out: end it now' },
  ],
  async handler(context, { key, overlap }) {
    const api = await context.connect('write');
    const keys = (await api.keys.list()).keys.filter((it) => it.id === key || it.revokedAt === null);
    const found = findResource(key, keys, 'key');
    const rotated = await api.keys.rotate(found.id, Math.ceil((overlap ?? 0) / 1000));
    const { id, key: secret, ...rest } = rotated;
    context.result({ id, key: secret, ...rest }, () => {
      const old =
        rest.previous === null
          ? `The old secret (${found.prefix}…) fails from now on.`
          : `The old secret (${rest.previous.prefix}…) works until ${rest.previous.expiresAt}.`;
      const pairs = context.pairs([
        ['Key', secret],
        ['Name', rest.name],
        ['Id', id],
      ]);
      return `${pairs}${old}\nStore the new one now: it is not shown again.\n`;
    });
    return undefined;
  },
});

import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { givenOf } from '../../options/given.ts';
import { argument, flag, optional } from '../../options/option.ts';
import { TARGET_OPTIONS, targetOf } from './channel-target.ts';

/** `none` takes the words of a template away. */
const words = (text: string): string | null => (text === 'none' ? null : text);

export const channelsUpdate = defineCommand({
  name: 'channels update',
  summary: "Change a channel's name, target or words",
  description:
    'Changes what is given and leaves the rest. A target is given whole: what is secret is sealed and cannot be read back. ' +
    'The kind of a channel stays.',
  positionals: { channel: argument('CHANNEL', 'Id or name of the channel') },
  options: {
    name: optional('NAME', 'Another name'),
    ...TARGET_OPTIONS,
    allowPrivate: flag('Permit an address on this machine or in a private network'),
    publicOnly: flag('Permit public addresses only'),
    title: optional('TEXT', 'Title in own words, with {{title}} and so on; none takes them away', words),
    text: optional('TEXT', 'Text in own words; none takes them away', words),
  },
  examples: [
    { command: 'channels update ops --url-env NEW_HOOK', explains: 'Another hook' },
    { command: "channels update ops --title '{{severity}}: {{title}}'", explains: 'Its own title' },
  ],
  async handler(context, { channel: wanted, name, allowPrivate, publicOnly, title, text, ...target }) {
    if (allowPrivate && publicOnly)
      throw usageError('--allow-private and --public-only say the opposite.', 'Give one of them.');
    const api = await context.connect('write');
    const found = findResource(wanted, (await api.alerts.channels()).channels, 'channel');
    const retargeted = Object.values(target).some((value) => value !== undefined && String(value) !== '');
    const worded = title !== undefined || text !== undefined;
    const template = { title: found.template?.title ?? null, text: found.template?.text ?? null };
    const change = {
      ...givenOf({ name }),
      ...(retargeted ? { target: targetOf(context, found.kind, target) } : {}),
      ...(allowPrivate || publicOnly ? { allowPrivate } : {}),
      ...(worded ? { template: templateOf({ ...template, ...givenOf({ title, text }) }) } : {}),
    };
    if (Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'Give --name, the options of a target, --title or --text.');
    const channel = await api.alerts.updateChannel(found.id, change);
    context.result(channel, () => `Channel ${channel.name} is changed; it goes to ${channel.destination}.\n`);
    return undefined;
  },
});

/** A template without words is none. */
function templateOf(template: { title: string | null; text: string | null }) {
  return template.title === null && template.text === null ? null : template;
}

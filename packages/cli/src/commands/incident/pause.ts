import { defineCommand } from '../../command.ts';
import { optional } from '../../options/option.ts';

export const incidentPause = defineCommand({
  name: 'incident pause',
  summary: 'Stop all proxied traffic at once',
  description:
    'Every request is refused with 503 traffic_paused from now on, and those that run are ended and settled. The ' +
    'pause survives a restart and is taken back with "tallygate incident resume". Dashboard and command line go on.',
  options: { reason: optional('TEXT', 'Why, for the audit log and for others who look') },
  examples: [
    { command: 'incident pause', explains: 'Stop now, ask questions later' },
    { command: 'incident pause --reason "key in a public repository"', explains: 'With the reason' },
  ],
  async handler(context, { reason }) {
    const api = await context.connect('write');
    const done = await api.incident.pause(reason === undefined ? {} : { reason });
    context.result(
      done,
      () =>
        `Traffic is paused since ${done.paused?.since ?? 'now'} (by ${done.paused?.by ?? 'you'}); ${done.ended} running requests were ended.\n` +
        'Let it through again: tallygate incident resume\n',
    );
    return undefined;
  },
});

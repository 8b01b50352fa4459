import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { flag, optional } from '../options/option.ts';
import { moment, resolveMoment } from '../options/parsers.ts';
import { formatCount } from '../output/numbers.ts';

export const requestsRedact = defineCommand({
  name: 'requests redact',
  summary: 'Remove tags and session ids from requests',
  description:
    'Removes tags and the ids of sessions and users from the requests that carry a tag, belong to a session, or are ' +
    'one request with its sub-calls. Tokens, money and sums stay. Without --yes it only counts. The audit log gets ' +
    'the number of requests, never the tag or the id.',
  options: {
    tag: optional('TAG', 'Requests with this tag'),
    session: optional('ID', 'Requests of this session, as the client names it or as it is listed'),
    request: optional('ID', 'This request'),
    before: optional('WHEN', 'Only those that started before: an ISO time, or how long ago as 30d', moment),
    yes: flag('Yes, remove; without it requests are only counted'),
  },
  examples: [
    { command: 'requests redact --session 3f0c9a52', explains: 'How many requests it would be' },
    {
      command: 'requests redact --tag customer:17 --before 30d --yes',
      explains: 'Remove, but for the last month',
    },
  ],
  async handler(context, { tag, session, request, before, yes }) {
    const given = [tag, session, request].filter((value) => value !== undefined);
    if (given.length !== 1) throw usageError('Name exactly one of --tag, --session and --request.');
    const to = before === undefined ? undefined : resolveMoment(before, context.terminal.now()).toISOString();
    const api = await context.connect('write');
    const done = await api.usage.redact({
      ...(tag === undefined ? {} : { tag }),
      ...(session === undefined ? {} : { sessionId: session }),
      ...(request === undefined ? {} : { requestId: request }),
      ...(to === undefined ? {} : { to }),
      dryRun: !yes,
    });
    context.result(done, () =>
      yes
        ? `Removed tags and session ids from ${formatCount(done.rows)} requests.\n`
        : `${formatCount(done.rows)} requests would lose their tags and session ids. To do it: add --yes.\n`,
    );
    return undefined;
  },
});

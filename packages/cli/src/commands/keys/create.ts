import type { KeyScope } from '@tallygate/contract/api/keys';
import { defineCommand } from '../../command.ts';
import { list, optional, type ParseValue, required } from '../../options/option.ts';
import { durationMs, instant, oneOf } from '../../options/parsers.ts';
import { limitOptions, limitsOf, limitsText } from './key-limits.ts';

/** The contract's list is checked against this one by a test: importing it here would load the schemas for help. */
export const SCOPES = ['gateway', 'ingest', 'read', 'embed', 'chat', 'admin'] as const satisfies KeyScope[];

/** `30d` from now, or an instant. */
const expiry: ParseValue<{ inMs: number } | { at: Date }> = (text, flag) =>
  /^\d+[smhdw]$/.test(text) ? { inMs: durationMs(text, flag) } : { at: instant(text, flag) };

export const keysCreate = defineCommand({
  name: 'keys create',
  summary: 'Create an API key and show it once',
  description:
    'Creates an API key for a client. The key is shown this once; only a hash of it is stored. ' +
    'A key that only sends requests needs the scope "gateway"; "admin" is for this program and for scripts that manage the server.',
  options: {
    name: required('NAME', 'What the key is for, to recognise it later'),
    scopes: list('SCOPES', `What it may do: ${SCOPES.join(', ')} (default: gateway)`, oneOf(SCOPES)),
    project: optional(
      'SLUG',
      'Project its requests are booked on; made when it does not exist (default: default)',
    ),
    user: optional('NAME', 'Person whose key it is: budgets and limits of that user count its requests'),
    ...limitOptions,
    expires: optional('WHEN', 'When it stops working: a length of time such as 30d, or an ISO time', expiry),
  },
  examples: [
    { command: 'keys create --name "laptop"', explains: 'A key for one client' },
    {
      command: "keys create --name bot --addresses 10.0.0.0/8 --models 'claude-haiku-*'",
      explains: 'A key for one network and the small models only',
    },
    {
      command: 'keys create --name ci --scopes gateway,read --project ci --expires 30d --json',
      explains: 'A key for a pipeline, as JSON: {"id","key","prefix",…}',
    },
  ],
  async handler(context, { name, scopes, project, user, expires, ...given }) {
    const expiresAt =
      expires === undefined
        ? undefined
        : 'at' in expires
          ? expires.at
          : new Date(context.terminal.now().getTime() + expires.inMs);
    const limits = limitsOf(given);
    const api = await context.connect('write');
    const created = await api.keys.create({
      name,
      scopes: scopes.length === 0 ? ['gateway'] : [...new Set(scopes)],
      ...(project === undefined ? {} : { project }),
      ...(user === undefined ? {} : { user }),
      ...(limits === null ? {} : { restrictions: limits }),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    });
    const { id, key, ...rest } = created;
    context.result({ id, key, ...rest }, () => {
      const pairs = context.pairs([
        ['Key', key],
        ['Name', rest.name],
        ['Scopes', rest.scopes.join(', ')],
        ['Project', rest.project.slug],
        ['User', rest.user?.username ?? '-'],
        ['Limits', limitsText(rest.restrictions)],
        ['Expires', rest.expiresAt ?? 'never'],
        ['Id', id],
      ]);
      return `${pairs}Store it now: it is not shown again.\n`;
    });
    return undefined;
  },
});

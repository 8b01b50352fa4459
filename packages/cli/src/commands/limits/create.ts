import type { LimitMeasure, LimitPer, LimitWindow } from '@tallygate/contract/api/limits';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { optional, withDefault } from '../../options/option.ts';
import { count, oneOf } from '../../options/parsers.ts';
import { formatLimit } from './limit-columns.ts';

/** A test checks these against the contract. */
export const PERS = [
  'all',
  'key',
  'user',
  'project',
  'address',
  'session',
  'account',
] as const satisfies LimitPer[];
export const WINDOWS = ['minute', 'hour', 'day'] as const satisfies LimitWindow[];
export const MEASURES = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  concurrentRequests: 'concurrent_requests',
  concurrentStreams: 'concurrent_streams',
} as const satisfies Record<string, LimitMeasure>;

export const limitsCreate = defineCommand({
  name: 'limits create',
  summary: 'Limit how often, how much or how many at once',
  description:
    'Creates a limit on requests or tokens in a minute, an hour or a day, or on what runs at once. What is over it is ' +
    'answered with 429 and the time to wait. With --per, each key, user, address and so on has a count of its own.',
  options: {
    scope: withDefault(
      'workspace',
      'SCOPE',
      'Which requests: workspace, key:ID, project:SLUG, user:NAME, session:ID, model:PATTERN, provider:ID, account:ID, ' +
        'tag:NAME, or several of them with commas, all of which have to match',
      (text) => text,
    ),
    requests: optional('N', 'Requests', count),
    tokens: optional('N', 'Tokens, in and out', count),
    inputTokens: optional('N', 'Tokens sent', count),
    outputTokens: optional('N', 'Tokens answered', count),
    concurrentRequests: optional('N', 'Requests that run at once', count),
    concurrentStreams: optional('N', 'Streams that run at once', count),
    window: optional('WINDOW', `In what time: ${WINDOWS.join(', ')}`, oneOf(WINDOWS)),
    burst: optional('N', 'How many of them may come at once (default: all)', count),
    per: withDefault('all', 'WHOSE', `Who has a count of their own: ${PERS.join(', ')}`, oneOf(PERS)),
    name: optional('NAME', 'Name to show'),
  },
  examples: [
    {
      command: 'limits create --requests 60 --window minute --burst 10 --per key',
      explains: 'Sixty requests a minute for each key, ten at once',
    },
    {
      command: 'limits create --scope project:web,model:claude-opus-* --output-tokens 200000 --window hour',
      explains: 'Output of a family of models in one project',
    },
    {
      command: 'limits create --concurrent-streams 4 --per user',
      explains: 'Four streams at once for each user',
    },
  ],
  async handler(context, { scope, window, burst, per, name, ...amounts }) {
    const given = Object.entries(MEASURES).flatMap(([option, measure]) => {
      const limit = amounts[option as keyof typeof MEASURES];
      return limit === undefined ? [] : [{ measure, limit }];
    });
    const [what] = given;
    if (what === undefined || given.length > 1) {
      throw usageError(
        'A limit counts one thing.',
        'Give one of --requests, --tokens, --input-tokens, --output-tokens, --concurrent-requests and --concurrent-streams; make a second limit for a second one.',
      );
    }
    const api = await context.connect('write');
    const limit = await api.limits.create({
      scope,
      per,
      ...what,
      ...(window === undefined ? {} : { window }),
      ...(burst === undefined ? {} : { burst }),
      ...(name === undefined ? {} : { name }),
    });
    context.result(limit, () => `Limit ${limit.id}: ${formatLimit(limit)}, ${limit.scopeLabel}.\n`);
    return undefined;
  },
});

import type { RuleTestView } from '@tallygate/contract/api/rules';
import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, list, optional } from '../../options/option.ts';
import { readJsonFile } from './read-json-file.ts';

function headersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw usageError('--header takes NAME=VALUE.', 'As in --header x-team=blue');
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function report(view: RuleTestView): string {
  const { facts } = view;
  return [
    `Model ${facts.model ?? 'none'}, user ${facts.user ?? 'none'}, about ${facts.estimatedTokens} tokens of input.`,
    ...view.rules.map((rule) => `  ${rule.applies ? '✓' : '·'} ${rule.name}: ${rule.reason}`),
    view.rule === null ? 'No rule applies.' : `Rule ${view.rule.name} applies.`,
    ...view.changes.map(({ what, from, to }) => `  ${what}: ${from ?? '(not set)'} → ${to ?? '(removed)'}`),
    '',
  ].join('\n');
}

export const rulesTest = defineCommand({
  name: 'rules test',
  summary: 'Show which rule would apply to a request, and why',
  description:
    'Asks every rule about the request body in a file and shows which one would apply and what it would change. ' +
    'Nothing is sent upstream.',
  positionals: { file: argument('FILE', 'JSON file with the body of the request') },
  options: {
    path: optional('PATH', 'Path that the client would call (default: /v1/messages)'),
    key: optional('KEY', 'Id or name of the API key it would come with'),
    header: list('HEADERS', 'Headers it would have, as NAME=VALUE'),
    at: optional('INSTANT', 'When it would come, such as 2026-01-31T22:00:00Z (default: now)'),
  },
  examples: [
    { command: 'rules test request.json', explains: 'A request to the Messages API' },
    {
      command: 'rules test request.json --path /v1/chat/completions --key web --header x-team=blue',
      explains: 'Another API, a key and a header',
    },
  ],
  async handler(context, { file, path, key, header, at }) {
    const body = await readJsonFile(file);
    const headers = headersOf(header);
    const api = await context.connect('read');
    const keyId = key === undefined ? undefined : findResource(key, (await api.keys.list()).keys, 'key').id;
    const view = await api.rules.test({
      ...(path === undefined ? {} : { path }),
      headers,
      body,
      ...(keyId === undefined ? {} : { key: keyId }),
      ...(at === undefined ? {} : { at }),
    });
    context.result(view, () => report(view));
    return undefined;
  },
});

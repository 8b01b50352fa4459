import type { EntryLinkView } from '@tallygate/contract/api/people';
import { namedServer } from '../../client/locate-server.ts';
import type { CommandContext } from '../../context.ts';
import { formatInstant } from '../../output/numbers.ts';

/** The address the link leads to: of the server that was named, or of the one these settings start. */
async function baseUrl(context: CommandContext): Promise<string> {
  const named = namedServer(context.terminal, context.globals);
  if (named !== null) return named.origin;
  const { host, port } = (await context.settings()).config;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Shows a one-time link, this once. */
export async function showEntryLink(
  context: CommandContext,
  link: EntryLinkView,
  purpose: string,
): Promise<void> {
  const url = `${await baseUrl(context)}${link.path}`;
  context.result({ id: link.id, url, expiresAt: link.expiresAt }, () => {
    const pairs = context.pairs([
      ['Link', url],
      ['Works until (UTC)', formatInstant(link.expiresAt)],
    ]);
    return `${pairs}${purpose} It works once and is not shown again. Where people reach the server under another address, put that in front.\n`;
  });
}

import type { RequestView } from '@tallygate/contract/api/usage';
import { usageError } from '../cli-error.ts';
import type { AdminApi, Query } from '../client/admin-api.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, list, optional } from '../options/option.ts';
import { integer, resolveMoment } from '../options/parsers.ts';
import { formatCount, formatInstant, formatMs, formatUsd } from '../output/numbers.ts';
import type { Column } from '../output/table.ts';
import { filterOptions, filterQuery, sinceOption, untilOption } from './usage-filters.ts';

const PAGE = 500;
const DEFAULT_LIMIT = 50;
/** How many requests of before `--follow` shows first. */
const FOLLOW_LIMIT = 10;

/** What the price of a request is, or why it has none. */
export function costText(row: RequestView): string {
  const mark = row.settleStatus === 'final' ? '' : ` (${row.settleStatus})`;
  if (row.costUsd !== null) return `${formatUsd(row.costUsd)}${mark}`;
  return `${row.priceStatus === 'no_usage' ? 'no usage' : row.priceStatus}${mark}`;
}

function requestColumns(context: CommandContext): Column<RequestView>[] {
  const right = { align: 'right' } as const;
  const bad = (row: RequestView) => row.status !== 'ok';
  return [
    { header: 'STARTED (UTC)', value: (row) => formatInstant(row.startedAt) },
    {
      header: 'STATUS',
      value: (row) => (row.httpStatus === null ? row.status : `${row.status} ${row.httpStatus}`),
      style: (text, row) => (bad(row) ? context.style.red(text) : text),
    },
    { header: 'MODEL', value: (row) => row.modelServed ?? row.modelRequested ?? '–' },
    { header: 'PROJECT', value: (row) => row.project.slug },
    { header: 'KEY', value: (row) => row.key?.name ?? '–' },
    { ...right, header: 'TOKENS', value: (row) => formatCount(row.totalTokens) },
    { ...right, header: 'COST (USD)', value: costText },
    { ...right, header: 'LATENCY', value: (row) => formatMs(row.latencyMs) },
    { ...right, header: 'FIRST TOKEN', value: (row) => formatMs(row.ttftMs) },
    { header: 'ID', value: (row) => row.id },
  ];
}

/** Pages through the ledger, newest first, until there are `limit` or no more. */
async function* readPages(api: AdminApi, query: Query, limit: number): AsyncGenerator<RequestView[]> {
  let left = limit;
  let cursor: string | null = null;
  do {
    const page = await api.usage.requests({
      ...query,
      limit: String(Math.min(left, PAGE)),
      ...(cursor === null ? {} : { cursor }),
    });
    yield page.requests.slice(0, left);
    left -= page.requests.length;
    cursor = page.requests.length === 0 ? null : page.nextCursor;
  } while (left > 0 && cursor !== null);
}

async function listPages(context: CommandContext, query: Query, limit: number): Promise<void> {
  const api = await context.connect('read');
  const all: RequestView[] = [];
  for await (const page of readPages(api, query, limit)) {
    if (context.json) for (const row of page) context.line(JSON.stringify(row));
    else all.push(...page);
  }
  if (context.json) return;
  context.terminal.writeOut(
    all.length === 0 ? 'No requests in this range.\n' : context.table(all, requestColumns(context)),
  );
}

export const requests = defineCommand({
  name: 'requests',
  summary: 'Requests, newest first or live',
  description:
    'Lists requests from the ledger, newest first. With --json every line is one object; amounts are exact decimal ' +
    'strings, unknown is null. With --follow the last few come first, then every request as it ends, until Ctrl-C.',
  options: {
    since: sinceOption,
    until: untilOption,
    limit: optional('N', `At most so many (default: ${DEFAULT_LIMIT})`, integer(1, 1_000_000)),
    follow: flag('Go on with every new request'),
    session: list('IDS', 'Only these sessions, as clients name them or as they are listed'),
    ...filterOptions,
  },
  examples: [
    {
      command: 'requests --since 1h --status upstream_error,timeout',
      explains: 'What failed in the last hour',
    },
    { command: 'requests --follow', explains: 'Watch the traffic' },
    {
      command: 'requests --since 2026-11-01T00:00:00Z --limit 1000 --json',
      explains: 'For scripts: one object a line',
    },
  ],
  async handler(context, args) {
    const now = context.terminal.now();
    const query: Query = filterQuery(args);
    if (args.session.length > 0) query.session = args.session;
    if (args.since !== undefined) query.from = resolveMoment(args.since, now).toISOString();
    if (args.until !== undefined) query.to = resolveMoment(args.until, now).toISOString();
    if (args.follow) {
      if (args.until !== undefined) throw usageError('--follow has no end: leave out --until.');
      const { followRequests } = await import('./follow-requests.ts');
      await followRequests(context, {
        query,
        limit: args.limit ?? FOLLOW_LIMIT,
        columns: requestColumns(context),
      });
    } else {
      await listPages(context, query, args.limit ?? DEFAULT_LIMIT);
    }
    return undefined;
  },
});

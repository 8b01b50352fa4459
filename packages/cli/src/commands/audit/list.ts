import { AUDIT_OUTCOMES, type AuditEntryView } from '@tallygate/contract/api/audit';
import type { AdminApi, Query } from '../../client/admin-api.ts';
import { defineCommand } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { list, optional } from '../../options/option.ts';
import { integer, oneOf, resolveMoment } from '../../options/parsers.ts';
import { formatInstant } from '../../output/numbers.ts';
import type { Column } from '../../output/table.ts';
import { sinceOption, untilOption } from '../usage-filters.ts';

const PAGE = 500;
const DEFAULT_LIMIT = 50;

const who = ({ actor }: AuditEntryView): string => actor.name ?? actor.id ?? actor.kind;
const about = ({ resource, resourceId }: AuditEntryView): string =>
  resource === null ? '–' : `${resource} ${resourceId ?? ''}`.trimEnd();
const changed = ({ changes }: AuditEntryView): string =>
  changes.map(({ field, before, after }) => `${field}: ${before ?? '–'} → ${after ?? '–'}`).join('; ') || '–';

function columns({ style }: CommandContext): Column<AuditEntryView>[] {
  return [
    { header: 'NO', align: 'right', value: (entry) => String(entry.seq) },
    { header: 'TIME (UTC)', value: (entry) => formatInstant(entry.at) },
    { header: 'WHO', value: who },
    { header: 'ACTION', value: (entry) => entry.action },
    {
      header: 'OUTCOME',
      value: (entry) => (entry.status === null ? entry.outcome : `${entry.outcome} ${entry.status}`),
      style: (text, entry) =>
        entry.outcome === 'refused' || entry.outcome === 'failed' ? style.red(text) : text,
    },
    { header: 'ADDRESS', value: (entry) => entry.address ?? '–' },
    { header: 'ABOUT', value: about },
    { header: 'CHANGED', value: changed },
  ];
}

async function readEntries(api: AdminApi, query: Query, limit: number): Promise<AuditEntryView[]> {
  const all: AuditEntryView[] = [];
  let cursor: string | null = null;
  do {
    const size = String(Math.min(limit - all.length, PAGE));
    const page = await api.audit.list({ ...query, limit: size, ...(cursor === null ? {} : { cursor }) });
    all.push(...page.entries);
    cursor = page.nextCursor;
  } while (cursor !== null && all.length < limit);
  return all;
}

export const auditList = defineCommand({
  name: 'audit list',
  summary: 'Who did what, newest first',
  description:
    'Lists the audit log, newest first. An act that changes something has two entries: "started" before it is done, ' +
    'and its outcome. With --json every line is one entry with all its fields.',
  options: {
    since: sinceOption,
    until: untilOption,
    limit: optional('N', `At most so many (default: ${DEFAULT_LIMIT})`, integer(1, 1_000_000)),
    actor: optional('ID', 'Only what this user or key did (id)'),
    action: optional('ACTION', 'Only this action, such as "POST /api/keys"'),
    outcome: list('OUTCOMES', `Only these outcomes: ${AUDIT_OUTCOMES.join(', ')}`, oneOf(AUDIT_OUTCOMES)),
    resource: optional('NAME', 'Only acts on this kind of thing, such as api_key'),
    address: optional('ADDRESS', 'Only calls from this address'),
  },
  examples: [
    { command: 'audit list --since 24h', explains: 'The last day' },
    { command: 'audit list --outcome refused,failed', explains: 'What was refused or went wrong' },
  ],
  async handler(context, args) {
    const now = context.terminal.now();
    const query: Query = {};
    if (args.since !== undefined) query.from = resolveMoment(args.since, now).toISOString();
    if (args.until !== undefined) query.to = resolveMoment(args.until, now).toISOString();
    for (const name of ['actor', 'action', 'resource', 'address'] as const) {
      const value = args[name];
      if (value !== undefined) query[name] = value;
    }
    if (args.outcome.length > 0) query.outcome = args.outcome;
    const all = await readEntries(await context.connect('read'), query, args.limit ?? DEFAULT_LIMIT);
    if (context.json) for (const entry of all) context.line(JSON.stringify(entry));
    else if (all.length === 0) context.line('No entries in this range.');
    else context.terminal.writeOut(context.table(all, columns(context)));
    return undefined;
  },
});

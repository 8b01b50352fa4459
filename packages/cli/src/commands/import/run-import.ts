import {
  type ImportReport,
  type ImportRequest,
  type ImportSource,
  MAX_IMPORT_EVENTS,
} from '@tallygate/contract/api/imports';
import { type ImportContents, ImportSourceError } from '@tallygate/server/importers/import-source';
import { CliError } from '../../cli-error.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import type { CommandContext } from '../../context.ts';
import { printable } from '../../output/style.ts';

type Kind = keyof ImportReport;
const KINDS: readonly (readonly [Kind, string])[] = [
  ['accounts', 'Accounts'],
  ['keys', 'Client keys'],
  ['events', 'Requests'],
];
/** Accounts and keys in one call: each may carry long tokens. */
const PART = 25;
/** More than this many reasons are a list nobody reads. */
const MAX_SHOWN = 20;

const empty = (): ImportReport['accounts'] => ({ added: 0, present: 0, skipped: [] });

function addTo(report: ImportReport, part: ImportReport): void {
  for (const [kind] of KINDS) {
    report[kind].added += part[kind].added;
    report[kind].present += part[kind].present;
    report[kind].skipped.push(...part[kind].skipped);
  }
}

async function sendAll(
  api: AdminApi,
  contents: ImportContents,
  { source, dryRun }: { source: ImportSource; dryRun: boolean },
): Promise<ImportReport> {
  const report: ImportReport = { accounts: empty(), keys: empty(), events: empty() };
  const send = async (part: Partial<Pick<ImportRequest, 'accounts' | 'keys' | 'events'>>) =>
    addTo(report, await api.runImport({ source, dryRun, accounts: [], keys: [], events: [], ...part }));
  for (let at = 0; at < contents.accounts.length; at += PART)
    await send({ accounts: contents.accounts.slice(at, at + PART) });
  for (let at = 0; at < contents.keys.length; at += PART)
    await send({ keys: contents.keys.slice(at, at + PART) });
  report.accounts.skipped.push(...contents.problems);
  for await (const { events, problems } of contents.events()) {
    for (let at = 0; at < events.length; at += MAX_IMPORT_EVENTS)
      await send({ events: events.slice(at, at + MAX_IMPORT_EVENTS) });
    report.events.skipped.push(...problems);
  }
  return report;
}

function reportText(context: CommandContext, report: ImportReport, dryRun: boolean): string {
  const rows = KINDS.map(([kind, name]) => ({ name, ...report[kind] }));
  const table = context.table(rows, [
    { header: 'WHAT', value: (row) => row.name },
    { header: dryRun ? 'WOULD BE ADDED' : 'ADDED', align: 'right', value: (row) => String(row.added) },
    { header: 'HERE ALREADY', align: 'right', value: (row) => String(row.present) },
    { header: 'LEFT OUT', align: 'right', value: (row) => String(row.skipped.length) },
  ]);
  const skipped = rows.flatMap((row) => row.skipped);
  const reasons = skipped
    .slice(0, MAX_SHOWN)
    .map(({ ref, reason }) => `  ${printable(ref)}: ${printable(reason)}\n`);
  const more =
    skipped.length > MAX_SHOWN ? `  and ${skipped.length - MAX_SHOWN} more (--json has all)\n` : '';
  const left = skipped.length === 0 ? '' : `\nLeft out:\n${reasons.join('')}${more}`;
  const end = dryRun ? '\nNothing was changed. Leave out --dry-run to import.\n' : '';
  return `${table}${left}${end}`;
}

/** Reads what the other system left, hands it to the gate and reports; safe to repeat. */
export async function runImport(
  context: CommandContext,
  open: () => ImportContents | Promise<ImportContents>,
  options: { source: ImportSource; dryRun: boolean },
): Promise<undefined> {
  let contents: ImportContents;
  try {
    contents = await open();
  } catch (error) {
    if (!(error instanceof ImportSourceError)) throw error;
    throw new CliError('invalid_request', error.message, { fix: 'Check the path or the address.' });
  }
  try {
    const api = await context.connect('write');
    const report = await sendAll(api, contents, options);
    context.result({ dryRun: options.dryRun, ...report }, () => reportText(context, report, options.dryRun));
  } finally {
    await contents.close();
  }
  return undefined;
}

import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AUDIT_FORMATS, type AuditFormat } from '@tallygate/contract/api/audit';
import { CliError } from '../../cli-error.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import { defineCommand } from '../../command.ts';
import { optional, withDefault } from '../../options/option.ts';
import { integer, oneOf } from '../../options/parsers.ts';
import { formatCount } from '../../output/numbers.ts';

const PAGE = 1_000;

/** Every line after the given entry, in the order of the chain, in pages. */
export async function* auditLines(
  api: AdminApi,
  format: AuditFormat,
  after: number,
): AsyncGenerator<string[]> {
  let position: number | null = after;
  while (position !== null) {
    const page = await api.audit.exportPage({ format, after: String(position), limit: String(PAGE) });
    yield page.lines;
    position = page.next;
  }
}

/** Writes the log to a new file that only its owner can read. Resolves with the number of lines. */
export async function writeAuditFile(
  api: AdminApi,
  path: string,
  options: { format: AuditFormat; after: number },
): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'EEXIST' ? 'There is a file of that name already.' : `The system says ${cause.code}.`;
    throw new CliError('conflict', `${path} cannot be made.`, { why, fix: 'Name a new file.', cause });
  });
  try {
    let count = 0;
    for await (const lines of auditLines(api, options.format, options.after)) {
      if (lines.length > 0) await file.write(`${lines.join('\n')}\n`);
      count += lines.length;
    }
    await file.sync();
    return count;
  } finally {
    await file.close();
  }
}

export const auditExport = defineCommand({
  name: 'audit export',
  summary: 'Hand the audit log to another system',
  description:
    'Writes the audit log in the order of its chain, as one JSON object a line or as RFC 5424 syslog lines, to ' +
    'standard output or to a new file that only you can read. --after continues where an earlier export ended. ' +
    'Exports are recorded in the log themselves.',
  options: {
    format: withDefault(
      'jsonl',
      'FORMAT',
      `Form of a line: ${AUDIT_FORMATS.join(' or ')}`,
      oneOf(AUDIT_FORMATS),
    ),
    after: withDefault(
      '0',
      'NUMBER',
      'Number of the last entry you have',
      integer(0, Number.MAX_SAFE_INTEGER),
    ),
    output: optional('FILE', 'New file to write to, instead of standard output'),
  },
  examples: [
    { command: 'audit export --output audit.jsonl', explains: 'Everything, into a file' },
    {
      command: 'audit export --format syslog --after 1200',
      explains: 'What came after entry 1200, for a collector',
    },
  ],
  async handler(context, { format, after, output }) {
    const api = await context.connect('read');
    if (output !== undefined) {
      const path = resolve(context.terminal.cwd, output);
      const lines = await writeAuditFile(api, path, { format, after });
      context.result({ path, format, lines }, () => `Wrote ${formatCount(lines)} entries to ${path}.\n`);
      return undefined;
    }
    for await (const lines of auditLines(api, format, after)) for (const line of lines) context.line(line);
    return undefined;
  },
});

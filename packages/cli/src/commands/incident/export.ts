import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CliError, EXIT } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { formatCount } from '../../output/numbers.ts';
import { writeAuditFile } from '../audit/export.ts';

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'It exists already.' : `The system says ${cause.code}.`;
    throw new CliError('conflict', `The folder ${path} cannot be made.`, {
      why,
      fix: 'Name a new folder in one that exists.',
      cause,
    });
  });
}

export const incidentExport = defineCommand({
  name: 'incident export',
  summary: 'Keep the evidence',
  description:
    'Writes a new folder that only you can read: audit.jsonl, the whole audit log; state.json, the settings in force, ' +
    'keys, accounts and security counters, without any secret, with the result of verifying the audit log; and ' +
    'manifest.json with the SHA-256 of both. Exit code 1 when the audit log is not whole; the folder is written all the same.',
  positionals: { path: argument('FOLDER', 'Folder to make; it must not exist yet') },
  examples: [{ command: 'incident export ./incident-2026-11-22', explains: 'Before anything is cleaned up' }],
  async handler(context, { path }) {
    const api = await context.connect('read');
    const folder = resolve(context.terminal.cwd, path);
    await makeFolder(folder);
    const state = await api.incident.state();
    const text = `${JSON.stringify(state, null, 2)}\n`;
    await writeFile(join(folder, 'state.json'), text, { mode: 0o600, flag: 'wx' });
    const audit = { format: 'jsonl', after: 0 } as const;
    const entries = await writeAuditFile(api, join(folder, 'audit.jsonl'), audit);
    const names = ['audit.jsonl', 'state.json'];
    const files = await Promise.all(
      names.map(async (name) => ({ name, sha256: await sha256Of(join(folder, name)) })),
    );
    const manifest = { tallygateIncident: 1, at: state.at, version: state.version, entries, files };
    const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
    await writeFile(join(folder, 'manifest.json'), manifestText, { mode: 0o600, flag: 'wx' });
    const { ok } = state.audit;
    context.result({ folder, entries, auditOk: ok }, () => {
      const proof = ok ? 'The log is whole.' : 'The log is NOT whole: state.json names what is wrong.';
      return `Wrote ${folder} with ${formatCount(entries)} entries of the audit log. ${proof}\n`;
    });
    return ok ? EXIT.ok : EXIT.failed;
  },
});

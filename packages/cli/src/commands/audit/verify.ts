import { EXIT, usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import type { ParseValue } from '../../options/option.ts';
import { optional } from '../../options/option.ts';
import { formatCount } from '../../output/numbers.ts';

const headText: ParseValue<{ seq: number; hash: string }> = (text, flag) => {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null || match[1] === '0') {
    throw usageError(`${flag} takes NUMBER:HASH, as "tallygate audit verify" printed it.`);
  }
  return { seq: Number(match[1]), hash: match[2] ?? '' };
};

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Prove that the audit log is whole',
  description:
    'Walks the hash chain of the audit log and names every entry that was changed, replaced, removed, added or cut ' +
    'off. Exit code 1 when there is one. Changes nothing. Whoever can write to the whole database could make a new ' +
    'chain: keep the printed NUMBER:HASH elsewhere and pass it as --expect later, which finds that as well.',
  options: { expect: optional('NUMBER:HASH', 'An entry as an earlier verification printed it', headText) },
  examples: [
    { command: 'audit verify', explains: 'The whole chain' },
    { command: 'audit verify --json', explains: 'For scripts: {"ok","entries","head","problems"}' },
  ],
  async handler(context, { expect }) {
    const api = await context.connect('read');
    const report = await api.audit.verify(expect === undefined ? {} : { expect });
    context.result(report, () => {
      const { green, red } = context.style;
      const entries = formatCount(report.entries);
      if (report.ok) {
        const last =
          report.head === null || report.head.seq === 0
            ? ''
            : `\nLast entry: ${report.head.seq}:${report.head.hash}`;
        return `${green('ok')}  ${entries} entries, each as it was written.${last}\n`;
      }
      const lines = report.problems.map((problem) => `      ${problem.message}\n`).join('');
      return `${red('fail')}  The audit log was tampered with or damaged (${entries} entries read).\n${lines}`;
    });
    return report.ok ? EXIT.ok : EXIT.failed;
  },
});

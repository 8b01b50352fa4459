import type { CheckResult } from '@tallygate/contract/api/checkup';
import type { SystemView } from '@tallygate/contract/api/system';
import { fail, ok, warn } from './check.ts';

/** More unwritten entries than this mean that the store cannot keep up. */
const LARGE_BACKLOG = 100_000;

const count = (value: number): string => value.toLocaleString('en-US');

function judgeJournal(journal: SystemView['journal']): CheckResult {
  const id = 'journal';
  const backlog = `${count(journal.backlogEntries)} entries not yet in the store`;
  const fix = 'Look at the disk of the data directory and at the output of the server.';
  if (journal.state === 'full')
    return fail(id, `The journal cannot be written: requests are refused. ${backlog}.`, fix);
  if (journal.state === 'degraded') return warn(id, `The journal has trouble writing. ${backlog}.`, fix);
  if (journal.backlogEntries > LARGE_BACKLOG) return warn(id, `The store does not keep up: ${backlog}.`, fix);
  return ok(id, `The journal is written (${journal.fsync}); ${backlog}.`);
}

/** The store, the journal and the price book, and what the server itself warns of. */
export function judgeSystem(system: SystemView): CheckResult[] {
  const { kind, schemaVersion } = system.store;
  return [
    ok('store', `The store (${kind}, schema ${schemaVersion}) answers.`),
    judgeJournal(system.journal),
    ...system.warnings.map(({ code, message }) =>
      warn(code, message, 'The dashboard shows it for as long as it is so.'),
    ),
    ok('prices', `Price book ${system.prices.version}, ${count(system.prices.cards)} rate cards.`),
  ];
}

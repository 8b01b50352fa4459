import type { ImportReport } from '@tallygate/contract/api/imports';

/** What became of the things of one kind. */
export type ImportTally = ImportReport['accounts'];

export const emptyTally = (): ImportTally => ({ added: 0, present: 0, skipped: [] });

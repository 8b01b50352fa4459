import type { EntryLinkView } from '@tallygate/contract/api/people';
import type { Secret } from '../../kernel/secret.ts';
import type { EntryLinkRow } from '../../store/ports/people.ts';
import { toIso } from '../instant.ts';

/** A link as it is shown once. The code is in the fragment, which browsers send to nobody and no log keeps. */
export function entryLinkView({ row, code }: { row: EntryLinkRow; code: Secret }): EntryLinkView {
  return { id: row.id, path: `/join#code=${code.reveal()}`, expiresAt: toIso(row.expiresAtMs) };
}

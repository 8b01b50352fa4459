import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { AuditEntry } from '../../store/ports/audit.ts';
import { toIso } from '../instant.ts';

/** A recorded entry as the API shows it: all of it, so that its hash can be computed elsewhere. */
export function auditView(entry: AuditEntry): AuditEntryView {
  const { atMs, actorKind, actorId, actorName, auditClass, changes, ...rest } = entry;
  return {
    ...rest,
    at: toIso(atMs),
    actor: { kind: actorKind, id: actorId, name: actorName },
    class: auditClass,
    changes: [...changes],
  };
}

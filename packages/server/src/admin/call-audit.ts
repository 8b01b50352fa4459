import type { AuditActorKind } from '../store/ports/audit.ts';
import type { AuditResource } from './audit-fields.ts';

/** Who acts, as the audit log names them. */
export interface AuditActor {
  kind: AuditActorKind;
  id: string | null;
  name: string | null;
}

/** What a handler tells the audit log about its call. The rest (who, what, when, whence, outcome) is known. */
export interface CallAudit {
  /** Names what the call is about. */
  about(resource: AuditResource, id: string | null): void;
  /** The same with what changed; fields that `AUDIT_FIELDS` does not name are left out. */
  changed(resource: AuditResource, id: string | null, sides: { before?: object; after?: object }): void;
  /** Names somebody who became known only by this call, as by signing in. */
  actor(actor: AuditActor): void;
  /**
   * Called once the input is known to be right, before anything is done. An act of class `change` or `secret` is
   * recorded here as started. @throws AppError `audit_unavailable` when it cannot be: then it is not done
   */
  begin(): Promise<void>;
}

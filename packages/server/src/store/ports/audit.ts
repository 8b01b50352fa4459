/** Who acted. `system` is the server itself, `local` whoever may open the owner-only socket. */
export type AuditActorKind = 'anonymous' | 'local' | 'user' | 'key' | 'system';
/** `started` stands before an act whose record must not be lost; its outcome follows as an entry of its own. */
export type AuditOutcome = 'started' | 'ok' | 'refused' | 'failed';

/** One field that an act changed, as text; null where it had, or has, no value. */
export interface AuditChange {
  field: string;
  before: string | null;
  after: string | null;
}

/** What is to be recorded. */
export interface AuditDraft {
  atMs: number;
  actorKind: AuditActorKind;
  actorId: string | null;
  actorName: string | null;
  /** Row of the route table, such as `POST /api/keys`, or a word of the server's own, such as `server.start`. */
  action: string;
  /** `access`, `change` or `secret`, as the route table says; `system` for the server's own. */
  auditClass: string;
  outcome: AuditOutcome;
  /** HTTP status of the answer; null for what is no call, and for `started`. */
  status: number | null;
  /** Code of the error table; null when nothing went wrong. */
  errorCode: string | null;
  requestId: string | null;
  address: string | null;
  userAgent: string | null;
  resource: string | null;
  resourceId: string | null;
  /** Null for the first workspace, and for what is nobody's. */
  workspaceId: string | null;
  changes: readonly AuditChange[];
}

/** A recorded entry. `hash` covers everything else in it, `prevHash` included, so each entry seals those before it. */
export interface AuditEntry extends AuditDraft {
  seq: number;
  prevHash: string;
  hash: string;
}

/** The last entry there is, kept apart from the entries so that a cut at the end is noticed. */
export interface AuditHead {
  seq: number;
  hash: string;
}

export interface AuditFilter {
  /** Entries of this workspace; null for those that name none. */
  workspaceId: string | null;
  fromMs?: number;
  /** Exclusive. */
  toMs?: number;
  actorId?: string;
  /** Exact action. */
  action?: string;
  outcomes?: readonly AuditOutcome[];
  resource?: string;
  resourceId?: string;
  address?: string;
}

/** Append-only: there is no method that changes or removes an entry. */
export interface AuditStore {
  /** Adds the entry behind the last one. Writers of all processes take turns, so the chain cannot fork. */
  append(draft: AuditDraft): Promise<AuditEntry>;
  /** Null when the head row is gone, which only tampering does. */
  readHead(): Promise<AuditHead | null>;
  /** Newest first; `beforeSeq` continues the list. */
  list(filter: AuditFilter, page: { limit: number; beforeSeq: number | null }): Promise<AuditEntry[]>;
  /** In the order of the chain. */
  readAfter(seq: number, limit: number): Promise<AuditEntry[]>;
  /** Notes that the key came from this address: it is known, the key's first, or another one. */
  noteKeyAddress(keyId: string, addressBucket: string, atMs: number): Promise<'known' | 'first' | 'another'>;
}

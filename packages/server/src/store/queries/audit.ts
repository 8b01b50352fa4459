import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type {
  AuditActorKind,
  AuditChange,
  AuditEntry,
  AuditFilter,
  AuditHead,
  AuditOutcome,
  AuditStore,
} from '../ports/audit.ts';
import { chainEntry } from '../ports/audit-chain.ts';
import type { Schema } from '../schema.ts';
import type { AuditEntryTable } from '../tables/audit-tables.ts';

const MAX_PAGE = 5_000;

function entryOf(row: AuditEntryTable): AuditEntry {
  return {
    seq: row.seq,
    atMs: row.at_ms,
    actorKind: row.actor_kind as AuditActorKind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    action: row.action,
    auditClass: row.audit_class,
    outcome: row.outcome as AuditOutcome,
    status: row.status,
    errorCode: row.error_code,
    requestId: row.request_id,
    address: row.address,
    userAgent: row.user_agent,
    resource: row.resource,
    resourceId: row.resource_id,
    workspaceId: row.workspace_id,
    changes: changesOf(row.changes),
    prevHash: row.prev_hash,
    hash: row.hash,
  };
}

/** A text that was tampered with until it is no list any more is an entry that does not match its hash, not a crash. */
function changesOf(text: string): AuditChange[] {
  try {
    const rows = JSON.parse(text) as [string, string | null, string | null][];
    return rows.map(([field, before, after]) => ({ field, before, after }));
  } catch {
    return [{ field: 'unreadable', before: null, after: null }];
  }
}

function rowOf(entry: AuditEntry): AuditEntryTable {
  return {
    seq: entry.seq,
    at_ms: entry.atMs,
    actor_kind: entry.actorKind,
    actor_id: entry.actorId,
    actor_name: entry.actorName,
    action: entry.action,
    audit_class: entry.auditClass,
    outcome: entry.outcome,
    status: entry.status,
    error_code: entry.errorCode,
    request_id: entry.requestId,
    address: entry.address,
    user_agent: entry.userAgent,
    resource: entry.resource,
    resource_id: entry.resourceId,
    workspace_id: entry.workspaceId,
    changes: JSON.stringify(entry.changes.map(({ field, before, after }) => [field, before, after])),
    prev_hash: entry.prevHash,
    hash: entry.hash,
  };
}

async function headIn(db: Kysely<Schema>): Promise<AuditHead | null> {
  const row = await db.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirst();
  return row === undefined ? null : { seq: row.last_seq, hash: row.last_hash };
}

function filtered(db: Kysely<Schema>, filter: AuditFilter) {
  let query = db
    .selectFrom('audit_entry')
    .selectAll()
    .where('workspace_id', filter.workspaceId === null ? 'is' : '=', filter.workspaceId);
  if (filter.fromMs !== undefined) query = query.where('at_ms', '>=', filter.fromMs);
  if (filter.toMs !== undefined) query = query.where('at_ms', '<', filter.toMs);
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.resource !== undefined) query = query.where('resource', '=', filter.resource);
  if (filter.resourceId !== undefined) query = query.where('resource_id', '=', filter.resourceId);
  if (filter.address !== undefined) query = query.where('address', '=', filter.address);
  if (filter.outcomes !== undefined) query = query.where('outcome', 'in', [...filter.outcomes]);
  return query;
}

/** The audit log and the addresses keys are known from. */
export function createAuditStore(database: StoreDatabase): AuditStore {
  const { kysely } = database;
  return {
    append: (draft) =>
      database.write(async ({ db }) => {
        // Changing the head first makes writers of all processes take turns: what is read next is the last entry.
        await db
          .updateTable('audit_head')
          .set((eb) => ({ last_seq: eb('last_seq', '+', 1) }))
          .where('id', '=', 1)
          .execute();
        const raised = await headIn(db);
        if (raised === null)
          throw new Error('The audit log has lost its head; "tallygate audit verify" says more.');
        const entry = chainEntry(draft, { seq: raised.seq - 1, hash: raised.hash });
        await db.insertInto('audit_entry').values(rowOf(entry)).execute();
        await db.updateTable('audit_head').set({ last_hash: entry.hash }).where('id', '=', 1).execute();
        return entry;
      }),
    readHead: () => headIn(kysely),
    async list(filter, { limit, beforeSeq }) {
      let query = filtered(kysely, filter).orderBy('seq', 'desc').limit(Math.min(limit, MAX_PAGE));
      if (beforeSeq !== null) query = query.where('seq', '<', beforeSeq);
      return (await query.execute()).map(entryOf);
    },
    async readAfter(seq, limit) {
      const rows = await kysely
        .selectFrom('audit_entry')
        .selectAll()
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(Math.min(limit, MAX_PAGE))
        .execute();
      return rows.map(entryOf);
    },
    async noteKeyAddress(keyId, addressBucket, atMs) {
      const addresses = kysely.selectFrom('key_address').select('key_id').where('key_id', '=', keyId);
      const known = await addresses.where('address_bucket', '=', addressBucket).executeTakeFirst();
      if (known !== undefined) return 'known';
      const other = await addresses.limit(1).executeTakeFirst();
      try {
        await kysely
          .insertInto('key_address')
          .values({ key_id: keyId, address_bucket: addressBucket, first_seen_ms: atMs })
          .execute();
        return other === undefined ? 'first' : 'another';
      } catch (error) {
        if (database.dialect.isUniqueViolation(error)) return 'known'; // another process was first
        throw error;
      }
    },
  };
}

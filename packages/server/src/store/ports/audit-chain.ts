import { createHash } from 'node:crypto';
import type { AuditDraft, AuditEntry, AuditHead, AuditStore } from './audit.ts';

/** What the first entry follows. */
export const GENESIS_HASH = '0'.repeat(64);
const VERSION = 'tallygate audit 1';
/** Of entries that name a workspace: it stands at the end. */
const VERSION_WITH_WORKSPACE = 'tallygate audit 2';
const PAGE = 1_000;
/** A log that was rewritten from some entry on would otherwise name every one after it. */
const MAX_PROBLEMS = 100;

/**
 * The entry's hash: SHA-256 over a JSON array in a fixed order. An array of strings, whole numbers and nulls has
 * exactly one JSON text, so no two entries share one. docs/audit.md says how to compute it elsewhere.
 */
export function entryHash(entry: Omit<AuditEntry, 'hash'>): string {
  const { workspaceId } = entry;
  const canonical = JSON.stringify([
    workspaceId === null ? VERSION : VERSION_WITH_WORKSPACE,
    entry.prevHash,
    entry.seq,
    entry.atMs,
    entry.actorKind,
    entry.actorId,
    entry.actorName,
    entry.action,
    entry.auditClass,
    entry.outcome,
    entry.status,
    entry.errorCode,
    entry.requestId,
    entry.address,
    entry.userAgent,
    entry.resource,
    entry.resourceId,
    entry.changes.map(({ field, before, after }) => [field, before, after]),
    ...(workspaceId === null ? [] : [workspaceId]),
  ]);
  return createHash('sha256').update(canonical, 'utf8').digest('hex');
}

/** Text that every engine gives back as it was given: no NUL, no lone surrogate; and of bounded length. */
function storable(text: string | null, maxChars: number): string | null {
  if (text === null) return null;
  return text
    .slice(0, maxChars)
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ');
}

const required = (text: string, maxChars: number): string => storable(text, maxChars) ?? '';

/** The draft as the entry that follows `head`. */
export function chainEntry(draft: AuditDraft, head: AuditHead): AuditEntry {
  const bare = {
    seq: head.seq + 1,
    atMs: Math.trunc(draft.atMs),
    actorKind: draft.actorKind,
    actorId: storable(draft.actorId, 64),
    actorName: storable(draft.actorName, 200),
    action: required(draft.action, 200),
    auditClass: required(draft.auditClass, 20),
    outcome: draft.outcome,
    status: draft.status,
    errorCode: storable(draft.errorCode, 60),
    requestId: storable(draft.requestId, 64),
    address: storable(draft.address, 100),
    userAgent: storable(draft.userAgent, 256),
    resource: storable(draft.resource, 60),
    resourceId: storable(draft.resourceId, 64),
    workspaceId: storable(draft.workspaceId, 64),
    changes: draft.changes.map(({ field, before, after }) => ({
      field: required(field, 60),
      before: storable(before, 1_000),
      after: storable(after, 1_000),
    })),
    prevHash: head.hash,
  };
  return { ...bare, hash: entryHash(bare) };
}

export interface ChainProblem {
  /** The entry that is wrong or gone; the first one of several. */
  seq: number;
  kind: 'changed' | 'replaced' | 'missing' | 'truncated' | 'unexpected' | 'head_missing';
  message: string;
}

/** What a walk along the chain found. `problems` is empty when every entry is as it was written. */
export interface ChainReport {
  entries: number;
  head: AuditHead | null;
  problems: ChainProblem[];
}

type Reader = Pick<AuditStore, 'readAfter' | 'readHead'>;

class Walk {
  readonly problems: ChainProblem[] = [];
  entries = 0;
  last: AuditHead = { seq: 0, hash: GENESIS_HASH };

  report(problem: ChainProblem): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }

  take(entry: AuditEntry): void {
    this.entries += 1;
    const { seq } = entry;
    const next = this.last.seq + 1;
    if (seq < 1)
      return this.report({
        seq,
        kind: 'unexpected',
        message: `Entry ${seq} was added: numbers begin at 1.`,
      });
    if (seq > next) {
      const gone = seq - 1 === next ? `Entry ${next} is` : `Entries ${next} to ${seq - 1} are`;
      this.report({ seq: next, kind: 'missing', message: `${gone} missing.` });
    }
    if (entryHash(entry) !== entry.hash) {
      this.report({ seq, kind: 'changed', message: `Entry ${seq} is not as it was written.` });
    }
    if (seq === next && entry.prevHash !== this.last.hash) {
      const message = `Entry ${seq} does not follow entry ${seq - 1}: one of them was replaced.`;
      this.report({ seq: seq === 1 ? 1 : seq - 1, kind: 'replaced', message });
    }
    this.last = { seq, hash: entry.hash };
  }

  /** Compares the end of the walk with the head. */
  finish(head: AuditHead | null): void {
    const { seq, hash } = this.last;
    if (head === null) {
      this.report({ seq, kind: 'head_missing', message: 'The record of the last entry is gone.' });
    } else if (head.seq > seq) {
      const gone = head.seq === seq + 1 ? `Entry ${head.seq} was` : `Entries ${seq + 1} to ${head.seq} were`;
      this.report({ seq: seq + 1, kind: 'truncated', message: `${gone} cut off at the end.` });
    } else if (head.seq < seq) {
      const message = `Entry ${head.seq + 1} stands behind the last one that was written.`;
      this.report({ seq: head.seq + 1, kind: 'unexpected', message });
    } else if (head.hash !== hash) {
      this.report({ seq, kind: 'replaced', message: `Entry ${seq} is not the last one that was written.` });
    }
  }
}

/**
 * Walks the whole chain and names every entry that was changed, replaced, reordered, removed, added or cut off.
 * New entries may be written meanwhile: the head is read after the entries, so it is never behind them.
 */
export async function verifyChain(store: Reader): Promise<ChainReport> {
  const walk = new Walk();
  let after = Number.MIN_SAFE_INTEGER;
  let headSeq = -1;
  for (;;) {
    const page = await store.readAfter(after, PAGE);
    for (const entry of page) walk.take(entry);
    after = page.at(-1)?.seq ?? after;
    if (page.length === PAGE) continue;
    const head = await store.readHead();
    // Entries written during the walk are walked too; a head that stays ahead without any means that they are gone.
    const ahead = head !== null && head.seq > walk.last.seq;
    if (ahead && (page.length > 0 || headSeq !== head.seq)) {
      headSeq = head.seq;
      continue;
    }
    walk.finish(head);
    return { entries: walk.entries, head, problems: walk.problems };
  }
}

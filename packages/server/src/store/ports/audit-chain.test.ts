import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditDraft, AuditEntry, AuditHead } from './audit.ts';
import { chainEntry, entryHash, GENESIS_HASH, verifyChain } from './audit-chain.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const maybe = fc.option(text, { nil: null });
const draft: fc.Arbitrary<AuditDraft> = fc.record({
  atMs: fc.nat(),
  actorKind: fc.constantFrom('anonymous', 'local', 'user', 'key', 'system'),
  actorId: maybe,
  actorName: maybe,
  action: text,
  auditClass: fc.constantFrom('access', 'change', 'secret', 'system'),
  outcome: fc.constantFrom('started', 'ok', 'refused', 'failed'),
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: null }),
  errorCode: maybe,
  requestId: maybe,
  address: maybe,
  userAgent: maybe,
  resource: maybe,
  resourceId: maybe,
  workspaceId: maybe,
  changes: fc.array(fc.record({ field: text, before: maybe, after: maybe }), { maxLength: 2 }),
});

interface Log {
  entries: AuditEntry[];
  head: AuditHead | null;
}

function written(drafts: readonly AuditDraft[]): Log {
  let head: AuditHead = { seq: 0, hash: GENESIS_HASH };
  const entries = drafts.map((one) => {
    const entry = chainEntry(one, head);
    head = { seq: entry.seq, hash: entry.hash };
    return entry;
  });
  return { entries, head };
}

/** Reads a log the way a store does: by number, in pages. */
const verify = ({ entries, head }: Log) =>
  verifyChain({
    readAfter: async (seq, limit) =>
      [...entries]
        .sort((a, b) => a.seq - b.seq)
        .filter((entry) => entry.seq > seq)
        .slice(0, limit),
    readHead: async () => head,
  });

const resealed = (entry: AuditEntry): AuditEntry => ({ ...entry, hash: entryHash(entry) });

type Tamper = (log: Log, at: number) => { log: Log; named: number[] };
const replaceAt = (log: Log, at: number, entry: AuditEntry): Log => ({
  ...log,
  entries: log.entries.with(at, entry),
});

/** Each returns the entries one of which has to be named. */
const TAMPERS: Record<string, Tamper> = {
  'a field is changed'(log, at) {
    const entry = log.entries[at] as AuditEntry;
    return { log: replaceAt(log, at, { ...entry, action: `${entry.action}x` }), named: [entry.seq] };
  },
  'a change list is emptied or filled'(log, at) {
    const entry = log.entries[at] as AuditEntry;
    const changes = entry.changes.length > 0 ? [] : [{ field: 'a', before: null, after: null }];
    return { log: replaceAt(log, at, { ...entry, changes }), named: [entry.seq] };
  },
  'a field is changed and the hash made to fit'(log, at) {
    const entry = log.entries[at] as AuditEntry;
    const forged = resealed({ ...entry, atMs: entry.atMs + 1 });
    return { log: replaceAt(log, at, forged), named: [entry.seq] };
  },
  'one is removed'(log, at) {
    return { log: { ...log, entries: log.entries.toSpliced(at, 1) }, named: [at + 1] };
  },
  'the end is cut off'(log, at) {
    return { log: { ...log, entries: log.entries.slice(0, at) }, named: [at + 1] };
  },
  'two change places'(log, at) {
    const other = (at + 1) % log.entries.length;
    const [a, b] = [log.entries[at] as AuditEntry, log.entries[other] as AuditEntry];
    const entries = log.entries.with(at, { ...b, seq: a.seq }).with(other, { ...a, seq: b.seq });
    return { log: { ...log, entries }, named: [a.seq, b.seq] };
  },
  'one is put behind the end'(log) {
    const forged = chainEntry(log.entries[0] as AuditEntry, log.head as AuditHead);
    return { log: { ...log, entries: [...log.entries, forged] }, named: [forged.seq] };
  },
  'one is put before the beginning'(log, at) {
    const forged = resealed({ ...(log.entries[0] as AuditEntry), seq: -at });
    return { log: { ...log, entries: [forged, ...log.entries] }, named: [-at] };
  },
  'the head is removed'(log) {
    return { log: { ...log, head: null }, named: [log.entries.length] };
  },
};

describe('verifyChain (X-06)', () => {
  it('finds nothing in what was written, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { maxLength: 30 }), async (drafts) => {
        const log = written(drafts);
        expect(await verify(log)).toEqual({ entries: drafts.length, head: log.head, problems: [] });
      }),
    );
  });

  it.each(Object.entries(TAMPERS))('finds and names it when %s', async (_name, tamper) => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 2, maxLength: 20 }), fc.nat(), async (drafts, pick) => {
        const log = written(drafts);
        const { log: tampered, named } = tamper(log, pick % log.entries.length);
        const { problems } = await verify(tampered);
        expect(problems.some((problem) => named.includes(problem.seq))).toBe(true);
        for (const { message } of problems) expect(message).toMatch(/\.$/);
      }),
    );
  });

  it('walks what is written during the walk', async () => {
    const log = written(Array.from({ length: 3 }, (_, i) => ({ ...sample, atMs: i })));
    let shown = 2;
    const report = await verifyChain({
      readAfter: async (seq) => log.entries.slice(0, shown).filter((entry) => entry.seq > seq),
      readHead: async () => {
        shown = 3;
        return log.head;
      },
    });
    expect(report.problems).toEqual([]);
    expect(report.entries).toBe(3);
  });

  it('depends on every field of an entry', () => {
    const entry = chainEntry(sample, { seq: 4, hash: 'a'.repeat(64) });
    for (const field of Object.keys(sample) as (keyof AuditDraft)[]) {
      const other = field === 'changes' ? [] : field === 'atMs' || field === 'status' ? 77 : 'other';
      expect(entryHash({ ...entry, [field]: other }), field).not.toBe(entry.hash);
    }
  });
});

const sample: AuditDraft = {
  atMs: 1,
  actorKind: 'user',
  actorId: 'u1',
  actorName: 'maria',
  action: 'POST /api/keys',
  auditClass: 'secret',
  outcome: 'ok',
  status: 201,
  errorCode: 'none',
  requestId: 'r1',
  address: '192.0.2.1',
  userAgent: 'test',
  resource: 'api_key',
  resourceId: 'k1',
  workspaceId: 'w',
  changes: [{ field: 'name', before: null, after: 'laptop' }],
};

import type { RedactionQuery } from '@tallygate/server/store/ports/redaction';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { checkpoint } from './store-conformance-ledger.ts';
import { usageEvent } from './usage-events.ts';

const START = Date.UTC(2026, 4, 1);
const RANGE = { workspaceId: 'ws', fromMs: START, toMs: START + 86_400_000 };

const by = (kind: RedactionQuery['by']['kind'], value: string, more: Partial<RedactionQuery> = {}) => ({
  ...{ workspaceId: 'ws', fromMs: null, toMs: null, by: { kind, value } },
  ...more,
});

export function redactionConformance(bench: StoreBench): void {
  describe('redaction (TW-12)', () => {
    it('takes tags and ids out of the rows meant, over several batches, once, and leaves sums and money', async () => {
      const { ledger, usage, maintenance } = await bench.open('ledger');
      const events = Array.from({ length: 450 }, (_, index) =>
        usageEvent({
          startedAtMs: START + index,
          workspaceId: index % 9 === 0 ? 'other' : 'ws',
          sessionId: `s${index % 2}`,
          conversationId: 'c',
          tags: ['all', `t${index % 3}`],
        }),
      );
      await ledger.commit(events, checkpoint(1));
      const before = await usage.totals(RANGE, 'rows');
      const meant = events.filter(({ workspaceId, tags }) => workspaceId === 'ws' && tags.includes('all'));
      expect(meant.length).toBeGreaterThan(200);
      expect(await maintenance.countRedactable(by('tag', 'all'))).toBe(meant.length);
      expect((await usage.request(meant[0]!.id, null))?.tags).toEqual(meant[0]!.tags); // counting changes nothing
      expect(await maintenance.redact(by('tag', 'all'))).toBe(meant.length);
      expect(await maintenance.redact(by('tag', 'all'))).toBe(0);
      for (const event of events) {
        const { ledgerSeq: _, ...stored } = (await usage.request(event.id, null))!;
        const gone = { sessionId: null, conversationId: null, tags: [] };
        expect(stored).toEqual(event.workspaceId === 'ws' ? { ...event, ...gone } : event);
      }
      const listed = (filter: object) =>
        usage.requests({ workspaceId: null, limit: 500, cursor: null, ...filter });
      for (const filter of [{ tags: ['all'] }, { tags: ['t0'] }, { sessionIds: ['s1'] }]) {
        const { events: left } = await listed(filter);
        expect(left.length).toBeGreaterThan(0);
        expect(left.every(({ workspaceId }) => workspaceId === 'other')).toBe(true);
      }
      expect(await usage.totals(RANGE, 'rows')).toEqual(before);
      expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('keeps to the session, the workspace and the range, and takes a request with its sub-calls', async () => {
      const { ledger, usage, maintenance } = await bench.open('ledger');
      const row = (id: string, startedAtMs: number, more: object = {}) =>
        usageEvent({ id, startedAtMs: START + startedAtMs, sessionId: 's', tags: ['t'], ...more });
      const events = [
        row('a', 0),
        row('b', 10),
        row('c', 20, { sessionId: 'other' }),
        row('d', 30, { sessionId: 'other', parentId: 'c' }),
        row('e', 40, { sessionId: 'other', tags: [] }),
        row('f', 50, { sessionId: null, tags: [] }),
      ];
      await ledger.commit(events, checkpoint(1));
      const kept = async () => {
        const { events: all } = await usage.requests({ workspaceId: 'ws', limit: 50, cursor: null });
        return all.filter(({ sessionId, tags }) => sessionId !== null || tags.length > 0).map(({ id }) => id);
      };
      expect(await maintenance.redact(by('session', 's', { toMs: START }))).toBe(0);
      expect(await maintenance.redact(by('session', 's', { fromMs: START + 11 }))).toBe(0);
      expect(await maintenance.redact(by('session', 's', { workspaceId: 'nobody' }))).toBe(0);
      expect(await maintenance.redact(by('session', 's', { fromMs: START, toMs: START + 10 }))).toBe(1);
      expect(await kept()).toEqual(['e', 'd', 'c', 'b']);
      expect(await maintenance.redact(by('request', 'f'))).toBe(0);
      expect(await maintenance.redact(by('request', 'c'))).toBe(2);
      expect(await maintenance.redact(by('request', 'c'))).toBe(0);
      expect(await kept()).toEqual(['e', 'b']);
      expect(await maintenance.redact(by('session', 's'))).toBe(1);
      expect(await kept()).toEqual(['e']);
    });

    it('finds the requests of sessions, also with tags, page by page', async () => {
      const { ledger, usage } = await bench.open('ledger');
      const events = Array.from({ length: 12 }, (_, index) =>
        usageEvent({
          startedAtMs: START + Math.floor(index / 3),
          sessionId: index % 4 === 0 ? null : `s${index % 4}`,
          tags: index % 2 === 0 ? ['even'] : [],
        }),
      );
      await ledger.commit(events, checkpoint(1));
      const ids = async (filter: object): Promise<string[]> => {
        const found: string[] = [];
        for (let cursor: string | null = null; ; ) {
          const page: Awaited<ReturnType<typeof usage.requests>> = await usage.requests({
            ...{ workspaceId: 'ws', limit: 2, cursor },
            ...filter,
          });
          found.push(...page.events.map(({ id }) => id));
          cursor = page.nextCursor;
          if (cursor === null) return found;
        }
      };
      const expected = (fits: (index: number) => boolean) =>
        events.flatMap(({ id }, index) => (fits(index) ? [id] : [])).reverse();
      expect(await ids({ sessionIds: ['s1', 's2'] })).toEqual(
        expected((index) => [1, 2].includes(index % 4)),
      );
      expect(await ids({ sessionIds: ['s2'], tags: ['even'] })).toEqual(expected((index) => index % 4 === 2));
      expect(await ids({ sessionIds: ['s1'], tags: ['even'] })).toEqual([]);
      expect(await ids({ sessionIds: ['s1'], workspaceId: 'other' })).toEqual([]);
    });
  });
}

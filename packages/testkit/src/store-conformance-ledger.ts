import type { LedgerCheckpoint, StoredEvent } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { account, key, project, workspace } from './store-conformance-config.ts';
import { usageEvent } from './usage-events.ts';

export const checkpoint = (offset: number, nodeId = 'node'): LedgerCheckpoint => ({
  nodeId,
  committed: { segment: 1, offset },
  lowWaterSegment: 1,
});

const withoutSeq = ({ ledgerSeq: _, ...event }: StoredEvent) => event;

export function ledgerConformance(bench: StoreBench): void {
  describe('ledger', () => {
    it('gives back every field of an event, its attempts and tags', async () => {
      const { ledger } = await bench.open('ledger');
      const { usage } = await bench.open('main');
      const [attempt] = usageEvent().attempts;
      const full = usageEvent({
        parentId: 'parent',
        userId: 'user',
        serviceTier: 'priority',
        speed: 'fast',
        geo: 'us',
        batch: true,
        costNanoUsd: 9_007_199_254_740_993n, // one more than a number can tell apart
        providerCostUsd: '0.0123',
        sessionId: 's',
        conversationId: 'c',
        tags: ['team:a', 'quote\'d "tag" 😀'],
        rawUsage: '{\n "a": "\\u0000" }',
        attempts: [0, 1, 2].map((index) => ({
          ...attempt!,
          index,
          outcome: index === 2 ? 'ok' : 'http_error',
        })),
      });
      const bare = usageEvent({
        apiKeyId: null,
        accountId: null,
        modelRequested: null,
        modelServed: null,
        firstByteAtMs: null,
        endedAtMs: null,
        latencyMs: null,
        ttftMs: null,
        httpStatus: null,
        weightedTokens: null,
        costNanoUsd: null,
        priceCard: null,
        priceStatus: 'unpriced',
        rawUsage: null,
        requestBytes: null,
        responseBytes: null,
        upstreamRequestId: null,
        attempts: [],
      });
      expect(await ledger.commit([full, bare], checkpoint(1))).toEqual({ inserted: 2 });
      for (const event of [full, bare]) {
        const stored = await usage.request(event.id, null);
        expect(stored && withoutSeq(stored)).toEqual(event);
      }
      expect(await usage.request('unknown', null)).toBeNull();
      expect((await usage.children('parent')).map((event) => event.id)).toEqual([full.id]);
      const family = await usage.rowsOfRequests(['parent', 'nobody']);
      expect(family.map((event) => event.parentId).filter((id) => id !== null)).toEqual(['parent']);
      expect(await usage.rowsOfRequests([])).toEqual([]);
    });

    it('counts an event once however often it is replayed, also twice in one batch (TW-21)', async () => {
      const { ledger, usage, maintenance } = await bench.open('ledger');
      const events = Array.from({ length: 40 }, (_, index) =>
        usageEvent({ startedAtMs: 1_700_000_000_000 + index }),
      );
      const range = { workspaceId: null, fromMs: 1_700_000_000_000, toMs: 1_700_000_001_000 };
      expect(
        (await ledger.commit([...events.slice(0, 20), ...events.slice(0, 20)], checkpoint(1))).inserted,
      ).toBe(20);
      expect((await ledger.commit(events, checkpoint(2))).inserted).toBe(20);
      expect((await ledger.commit(events, checkpoint(3))).inserted).toBe(0);
      expect(await ledger.readCheckpoint('node')).toEqual(checkpoint(3));
      expect((await usage.totals(range, 'rows')).requests).toBe(40);
      expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('moves the checkpoint with an empty batch, and keeps one for each node', async () => {
      const { ledger } = await bench.open('ledger');
      expect(await ledger.readCheckpoint('node')).toBeNull();
      expect(await ledger.commit([], checkpoint(5))).toEqual({ inserted: 0 });
      await ledger.commit([], checkpoint(7, 'other'));
      expect(await ledger.readCheckpoint('node')).toEqual(checkpoint(5));
      expect(await ledger.readCheckpoint('other')).toEqual(checkpoint(7, 'other'));
    });

    it('numbers rows in commit order, also when several writers commit at once', async () => {
      const stores = [await bench.open('ledger'), await bench.open('main'), await bench.open('main')];
      await Promise.all(
        stores.map(async ({ ledger }, writer) => {
          for (let batch = 0; batch < 5; batch++) {
            const events = Array.from({ length: 7 }, () => usageEvent({ projectId: `project-${writer}` }));
            await ledger.commit(events, checkpoint(batch, `node-${writer}`));
          }
        }),
      );
      const { usage, maintenance } = stores[0]!;
      const committed = await usage.committedAfter(0, 500);
      expect(committed).toHaveLength(105);
      const sequences = committed.map((event) => event.ledgerSeq);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      expect(new Set(sequences).size).toBe(105);
      expect(await usage.lastLedgerSeq()).toBe(sequences.at(-1));
      const resumed = await usage.committedAfter(sequences[99]!, 500);
      expect(resumed.map((event) => event.ledgerSeq)).toEqual(sequences.slice(100));
      expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('raises last-used times and never lowers them', async () => {
      const store = await bench.open('ledger');
      await store.config.ensureWorkspace(workspace);
      await store.config.insertProject(project);
      await store.config.insertKey(key);
      await store.config.insertAccount(account);
      const at = (startedAtMs: number) => usageEvent({ apiKeyId: 'k1', accountId: 'a1', startedAtMs });
      await store.ledger.commit([at(1_000), at(5_000), usageEvent({ apiKeyId: 'gone' })], checkpoint(1));
      await store.ledger.commit([at(2_000)], checkpoint(2));
      expect((await store.config.listKeys(null))[0]?.lastUsedAtMs).toBe(5_000);
      expect((await store.config.listAccounts(null))[0]?.lastUsedAtMs).toBe(5_000);
    });

    it('stores what an engine would refuse in a form it takes, so that no row blocks the ledger', async () => {
      const { ledger, usage, maintenance } = await bench.open('ledger');
      const hostile = usageEvent({
        modelServed: `model\u0000with\u001fseparators ${'x'.repeat(500)}`,
        errorCode: 'lone \ud800 surrogate',
        rawUsage: 'raw \u0000 nul',
        latencyMs: 12.7,
        tags: ['a', 'a', 'nul\u0000'],
      });
      hostile.attempts.push({ ...hostile.attempts[0]! });
      hostile.tokens.inputUncached = 10.4;
      expect((await ledger.commit([hostile, usageEvent()], checkpoint(1))).inserted).toBe(2);
      const stored = await usage.request(hostile.id, null);
      expect(stored?.modelServed).toHaveLength(200);
      expect(stored).toMatchObject({
        errorCode: 'lone \ufffd surrogate',
        rawUsage: 'raw \ufffd nul',
        latencyMs: 13,
      });
      expect(stored?.tags).toEqual(['a', 'nul\ufffd']);
      expect(stored?.attempts).toHaveLength(1);
      expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });
  });
}

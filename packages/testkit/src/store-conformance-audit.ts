import type { AuditDraft } from '@tallygate/server/store/ports/audit';
import { verifyChain } from '@tallygate/server/store/ports/audit-chain';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { owner, user } from './store-conformance-config.ts';

export const sampleAuditDraft = (change: Partial<AuditDraft> = {}): AuditDraft => ({
  atMs: 1_000,
  actorKind: 'user',
  actorId: 'u1',
  actorName: 'maria',
  action: 'PATCH /api/projects/:id',
  auditClass: 'change',
  outcome: 'ok',
  status: 200,
  errorCode: null,
  requestId: 'r1',
  address: '192.0.2.1',
  userAgent: 'nul \0, lone \ud800, ünïcode 😀',
  resource: 'project',
  resourceId: 'p1',
  workspaceId: null,
  changes: [{ field: 'name', before: 'Old', after: "O'New" }],
  ...change,
});

/** The audit log and the acts on everything at once. */
export function auditConformance(bench: StoreBench): void {
  describe('audit log (X-06)', () => {
    it('reads back what was written, chained', async () => {
      const { audit } = await bench.open('main');
      expect(await audit.readHead()).toEqual({ seq: 0, hash: '0'.repeat(64) });
      const first = await audit.append(sampleAuditDraft());
      const second = await audit.append(sampleAuditDraft({ changes: [], status: null, actorId: null }));
      expect([first.seq, second.seq, second.prevHash]).toEqual([1, 2, first.hash]);
      expect(await audit.readAfter(0, 10)).toEqual([first, second]);
      expect(await audit.readHead()).toEqual({ seq: 2, hash: second.hash });
      expect(await verifyChain(audit)).toMatchObject({ entries: 2, problems: [] });
    });

    it('cannot be forked by writers side by side', async () => {
      const main = await bench.open('main');
      const other = main.capabilities.multiProcess ? await bench.open('main') : main;
      const writes = Array.from({ length: 24 }, (_, index) =>
        (index % 2 === 0 ? main : other).audit.append(sampleAuditDraft({ atMs: index })),
      );
      const seqs = (await Promise.all(writes)).map((entry) => entry.seq);
      expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
      expect((await verifyChain(main.audit)).problems).toEqual([]);
    });

    it('lists newest first by keyset and filter', async () => {
      const { audit } = await bench.open('main');
      for (let index = 1; index <= 7; index++) {
        const odd = index % 2 === 1;
        await audit.append(
          sampleAuditDraft({ atMs: index * 10, actorId: odd ? 'u1' : 'u2', outcome: odd ? 'ok' : 'refused' }),
        );
      }
      const seqs = async (...args: Parameters<typeof audit.list>) =>
        (await audit.list(...args)).map((entry) => entry.seq);
      const here = { workspaceId: null };
      expect(await seqs(here, { limit: 3, beforeSeq: null })).toEqual([7, 6, 5]);
      expect(await seqs(here, { limit: 3, beforeSeq: 5 })).toEqual([4, 3, 2]);
      const all = { limit: 10, beforeSeq: null };
      expect(await seqs({ ...here, actorId: 'u2' }, all)).toEqual([6, 4, 2]);
      expect(await seqs({ ...here, fromMs: 30, toMs: 50 }, all)).toEqual([4, 3]);
      expect(await seqs({ ...here, outcomes: ['refused'] }, all)).toEqual([6, 4, 2]);
      expect(await seqs({ ...here, action: 'POST /api/keys' }, all)).toEqual([]);
      expect(
        await seqs({ ...here, resource: 'project', resourceId: 'p1', address: '192.0.2.1' }, all),
      ).toHaveLength(7);
      await audit.append(sampleAuditDraft({ workspaceId: 'ws2' }));
      expect(await seqs({ workspaceId: 'ws2' }, all)).toEqual([8]);
      expect(await seqs(here, all)).not.toContain(8);
      expect((await verifyChain(audit)).problems).toEqual([]);
    });

    it('knows a key’s addresses (CF-13)', async () => {
      const { audit } = await bench.open('main');
      expect(await audit.noteKeyAddress('k1', '192.0.2.1', 1)).toBe('first');
      expect(await audit.noteKeyAddress('k1', '192.0.2.1', 2)).toBe('known');
      expect(await audit.noteKeyAddress('k1', '2001:db8:0:0::/64', 2)).toBe('another');
      expect(await audit.noteKeyAddress('k2', '192.0.2.1', 2)).toBe('first');
    });

    it('survives a backup and a restore as it is', async () => {
      const store = await bench.open('main');
      await store.audit.append(sampleAuditDraft());
      const last = await store.audit.append(sampleAuditDraft({ atMs: 2 }));
      const path = `${await bench.target.directory()}/audit.backup`;
      await store.maintenance.backup(path);
      const url = await bench.target.fresh();
      await bench.engine.restore(url, path);
      const restored = await bench.open('main', url);
      expect(await verifyChain(restored.audit)).toEqual({
        entries: 2,
        head: { seq: 2, hash: last.hash },
        problems: [],
      });
    });
  });

  describe('acts on everything at once (CF-18)', () => {
    it('revokes every key that still works, and ends every session', async () => {
      const { config, identity, incident } = await bench.open('main');
      await config.ensureWorkspace({ id: 'ws', slug: 'ws', name: 'W', allowedAddresses: [], createdAtMs: 1 });
      await config.insertProject({
        id: 'p1',
        workspaceId: 'ws',
        slug: 'default',
        name: 'Default',
        disconnectPolicy: 'abort',
        environment: 'production',
        createdAtMs: 1,
      });
      const key = {
        workspaceId: 'ws',
        projectId: 'p1',
        name: 'k',
        prefix: 'tg_abc',
        scopes: ['gateway' as const],
        createdAtMs: 1,
        expiresAtMs: null,
        lastUsedAtMs: null,
        kind: 'issued' as const,
        restrictions: null,
        rotatedAtMs: null,
        previous: null,
        userId: null,
      };
      await config.insertKey({ ...key, id: 'k1', keyHash: 'a'.repeat(64), revokedAtMs: null });
      await config.insertKey({ ...key, id: 'k2', keyHash: 'b'.repeat(64), revokedAtMs: 5 });
      expect(await incident.revokeAllKeys(9)).toEqual(['k1']);
      expect(await incident.revokeAllKeys(10)).toEqual([]);
      const revoked = new Map((await config.listKeys(null)).map((row) => [row.id, row.revokedAtMs]));
      expect([revoked.get('k1'), revoked.get('k2')]).toEqual([9, 5]);
      await identity.insertFirstUser(user, owner);
      const session = { userId: 'u1', csrfHash: 'c'.repeat(64), createdAtMs: 1, lastSeenAtMs: 1 };
      const rest = {
        expiresAtMs: 100,
        address: null,
        userAgent: null,
        secondFactorTries: null,
        method: null,
        workspaceId: null,
      };
      await identity.insertSession({ ...session, ...rest, idHash: 'd'.repeat(64) });
      expect(await incident.endAllSessions()).toEqual(['d'.repeat(64)]);
      expect(await identity.findSession('d'.repeat(64))).toBeNull();
    });

    it('keeps a pause until it is taken back', async () => {
      const { incident, config } = await bench.open('main');
      expect(await incident.readPause()).toBeNull();
      const pause = { sinceMs: 7, reason: "o'clock", by: 'maria' };
      await incident.writePause(pause);
      await incident.writePause(pause);
      expect(await incident.readPause()).toEqual(pause);
      expect(await config.getSetting('traffic_pause')).not.toBeNull();
      await incident.writePause(null);
      expect(await incident.readPause()).toBeNull();
    });
  });
}

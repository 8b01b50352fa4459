import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiKeyRow } from '../store/store.ts';
import { authenticateKey } from './key-lookup.ts';
import { createApiKey } from './token.ts';

type Step =
  | { what: 'create'; expiresInMs: number | null }
  | { what: 'rotate'; key: number; overlapMs: number }
  | { what: 'revoke'; key: number }
  | { what: 'wait'; ms: number };

const times = fc.constantFrom(1, 1_000, 60_000, 3_600_000);
const steps = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('create' as const), expiresInMs: fc.option(times) }),
    fc.record({
      what: fc.constant('rotate' as const),
      key: fc.nat(5),
      overlapMs: fc.oneof(fc.constant(0), times),
    }),
    fc.record({ what: fc.constant('revoke' as const), key: fc.nat(5) }),
    fc.record({ what: fc.constant('wait' as const), ms: times }),
  ),
  { minLength: 4, maxLength: 30 },
);

interface Secret {
  text: string;
  keyId: string;
  /** Until when it is good: its key's end, the end of its overlap, or never any more. */
  endsMs: number;
}

function newRow(id: string, hash: string, expiresAtMs: number | null): ApiKeyRow {
  return {
    id,
    workspaceId: 'w',
    projectId: 'p',
    userId: null,
    name: id,
    prefix: 'tg_',
    keyHash: hash,
    scopes: ['read'],
    createdAtMs: 0,
    expiresAtMs,
    revokedAtMs: null,
    lastUsedAtMs: null,
    kind: 'issued',
    restrictions: null,
    rotatedAtMs: null,
    previous: null,
  };
}

describe('the life of API keys (TW-05)', () => {
  it('whatever happens in whatever order, exactly the secrets that should open do, and only their own key', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (life: Step[]) => {
        const rows: ApiKeyRow[] = [];
        const secrets: Secret[] = [];
        const clock = { ms: 1_000, now: () => clock.ms, monotonicMs: () => clock.ms };
        const store = { listKeys: async () => rows, listProjects: async () => [] };
        const rowAt = (index: number): ApiKeyRow | undefined => rows[index % Math.max(rows.length, 1)];
        const endOf = (row: ApiKeyRow): number => row.expiresAtMs ?? Number.POSITIVE_INFINITY;
        for (const step of life) {
          if (step.what === 'wait') clock.ms += step.ms;
          else if (step.what === 'create') {
            const { key, hash } = createApiKey(randomBytes);
            const row = newRow(
              `k${rows.length}`,
              hash,
              step.expiresInMs === null ? null : clock.ms + step.expiresInMs,
            );
            rows.push(row);
            secrets.push({ text: key.reveal(), keyId: row.id, endsMs: endOf(row) });
          } else {
            const row = rowAt(step.key);
            if (row === undefined || row.revokedAtMs !== null) continue;
            const mine = secrets.filter(({ keyId, endsMs }) => keyId === row.id && endsMs > clock.ms);
            if (step.what === 'revoke') {
              row.revokedAtMs = clock.ms;
              for (const secret of mine) secret.endsMs = 0;
              continue;
            }
            const { key, hash } = createApiKey(randomBytes);
            // Of three secrets the oldest is out at once: a row remembers one before its own.
            const present = secrets.findLast(({ keyId }) => keyId === row.id);
            for (const secret of mine) if (secret !== present) secret.endsMs = 0;
            if (present !== undefined) present.endsMs = Math.min(present.endsMs, clock.ms + step.overlapMs);
            row.previous = { keyHash: row.keyHash, prefix: 'tg_', expiresAtMs: clock.ms + step.overlapMs };
            row.keyHash = hash;
            secrets.push({ text: key.reveal(), keyId: row.id, endsMs: endOf(row) });
          }
          for (const { text, keyId, endsMs } of secrets) {
            const found = await authenticateKey(text, { store, clock, firstWorkspaceId: 'w' }).then(
              (principal) => (principal.kind === 'key' ? principal.key.id : ''),
              () => null,
            );
            expect(found).toBe(endsMs > clock.ms ? keyId : null);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

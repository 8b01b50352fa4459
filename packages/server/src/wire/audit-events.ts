import { settingsHash } from '../config/explain-config.ts';
import type { AuditChange, AuditDraft } from '../store/ports/audit.ts';
import type { Core } from './core.ts';
import { programVersion } from './program.ts';

/** An entry of the server itself: no call stands behind it. */
export function systemAct(
  atMs: number,
  action: string,
  about: Partial<Pick<AuditDraft, 'resource' | 'resourceId' | 'address' | 'changes' | 'actorKind'>> = {},
): AuditDraft {
  return {
    atMs,
    actorKind: 'system',
    actorId: null,
    actorName: null,
    action,
    auditClass: 'system',
    outcome: 'ok',
    status: null,
    errorCode: null,
    requestId: null,
    address: null,
    userAgent: null,
    resource: null,
    resourceId: null,
    workspaceId: null,
    changes: [],
    ...about,
  };
}

/** The hash that the last start recorded; null at the first. */
async function lastSettingsHash({ store }: Core): Promise<string | null> {
  const [last] = await store.audit.list(
    { workspaceId: null, action: 'server.start' },
    { limit: 1, beforeSeq: null },
  );
  return last?.changes.find((change) => change.field === 'settingsHash')?.after ?? null;
}

/** Records that a server starts, and with which settings: a change made in a file shows as another hash (CF-13). */
export async function recordStart(core: Core): Promise<void> {
  const before = await lastSettingsHash(core);
  const changes: AuditChange[] = [
    { field: 'settingsHash', before, after: settingsHash(core.config) },
    { field: 'version', before: null, after: programVersion() },
  ];
  await core.store.audit.append(systemAct(core.clock.now(), 'server.start', { changes }));
}

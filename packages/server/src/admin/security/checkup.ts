import type { CheckResult, CheckupRun } from '@tallygate/contract/api/checkup';
import {
  judgeAdminKeys,
  judgeAuditLog,
  judgeBackupAge,
  judgeFindings,
  judgeSecondFactors,
  judgeStaleKeys,
  type PersonFacts,
} from '../../checkup/state-checks.ts';
import { judgeSystem } from '../../checkup/system-checks.ts';
import { verifyChain } from '../../store/ports/audit-chain.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import { systemView } from '../system/system-view.ts';
import { securityOverview } from './overview.ts';

/** The last run, kept in the store: nodes and restarts have it in common. */
const SETTING = 'checkup_last_run';

/** Everybody of every workspace, once, by the most that any of their roles may. */
async function people({ store }: AdminDeps): Promise<PersonFacts[]> {
  const workspaces = await store.config.listWorkspaces();
  const rows = (await Promise.all(workspaces.map(({ id }) => store.people.listMembers(id)))).flat();
  const byId = new Map<string, PersonFacts>();
  for (const { id, username, role, secondFactor, disabledAtMs } of rows) {
    const known = byId.get(id);
    if (known !== undefined && (known.role === 'owner' || role !== 'owner')) continue;
    byId.set(id, { username, role, secondFactor, disabledAt: toIsoOrNull(disabledAtMs) });
  }
  return [...byId.values()];
}

async function keyChecks({ store }: AdminDeps, now: Date): Promise<CheckResult[]> {
  const keys = (await store.config.listKeys(null)).map((row) => ({
    name: row.name,
    scopes: row.scopes,
    createdAt: toIso(row.createdAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
    expiresAt: toIsoOrNull(row.expiresAtMs),
    revokedAt: toIsoOrNull(row.revokedAtMs),
  }));
  return [judgeStaleKeys(keys, now), judgeAdminKeys(keys, now)];
}

async function backupCheck({ store: { audit } }: AdminDeps, now: Date): Promise<CheckResult> {
  const filter = { workspaceId: null, action: 'POST /api/backup', outcomes: ['ok'] } as const;
  const [last] = await audit.list(filter, { limit: 1, beforeSeq: null });
  const [first] = await audit.readAfter(0, 1);
  const begunAt = toIsoOrNull(first?.atMs ?? null);
  return judgeBackupAge({ lastAt: toIsoOrNull(last?.atMs ?? null), begunAt }, now);
}

/** Looks at everything that the server can look at from within, and keeps what it found. */
export async function runCheckup(deps: AdminDeps, by: string): Promise<CheckupRun> {
  const now = new Date(deps.clock.now());
  const host = await deps.checkHost();
  const run: CheckupRun = {
    at: now.toISOString(),
    by,
    safety: [
      ...host.safety,
      judgeSecondFactors(await people(deps)),
      ...(await keyChecks(deps, now)),
      await backupCheck(deps, now),
      judgeAuditLog(await verifyChain(deps.store.audit)),
      judgeFindings((await securityOverview(deps)).findings),
    ],
    order: [...host.order, ...judgeSystem(await systemView(deps))],
  };
  await deps.store.config.setSetting(SETTING, JSON.stringify(run));
  return run;
}

/** What the last run found; null when there was none. */
export async function lastCheckup({ store }: AdminDeps): Promise<CheckupRun | null> {
  const kept = await store.config.getSetting(SETTING);
  return kept === null ? null : (JSON.parse(kept) as CheckupRun);
}

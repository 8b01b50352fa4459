import type { CheckupRun, DependencyReport } from '@tallygate/contract/api/checkup';
import { runAll } from '../../checkup/check.ts';
import { judgeDependencies, type KeptReport } from '../../checkup/dependency-report.ts';
import { failureOf } from '../../checkup/host.ts';
import { type SafetyFacts, stateSafetyChecks } from '../../checkup/safety-checks.ts';
import type { KeyFacts, PersonFacts } from '../../checkup/state-checks.ts';
import { judgeSystem } from '../../checkup/system-checks.ts';
import { verifyChain } from '../../store/ports/audit-chain.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import { systemView } from '../system/system-view.ts';
import { securityOverview } from './overview.ts';

/** The last run, kept in the store: nodes and restarts have it in common. */
const SETTING = 'checkup_last_run';
const DEPENDENCY_SETTING = 'checkup_dependencies';

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

async function keyFacts({ store }: AdminDeps): Promise<KeyFacts[]> {
  return (await store.config.listKeys(null)).map((row) => ({
    name: row.name,
    scopes: row.scopes,
    createdAt: toIso(row.createdAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
    expiresAt: toIsoOrNull(row.expiresAtMs),
    revokedAt: toIsoOrNull(row.revokedAtMs),
  }));
}

async function backupFacts({ store: { audit } }: AdminDeps): ReturnType<SafetyFacts['backups']> {
  const filter = { workspaceId: null, action: 'POST /api/backup', outcomes: ['ok'] } as const;
  const [last] = await audit.list(filter, { limit: 1, beforeSeq: null });
  const [first] = await audit.readAfter(0, 1);
  return { lastAt: toIsoOrNull(last?.atMs ?? null), begunAt: toIsoOrNull(first?.atMs ?? null) };
}

const factsOf = (deps: AdminDeps): SafetyFacts => ({
  people: () => people(deps),
  keys: () => keyFacts(deps),
  backups: () => backupFacts(deps),
  auditLog: () => verifyChain(deps.store.audit),
  findings: async () => (await securityOverview(deps)).findings,
});

/** Keeps what the command line learnt from the registry of packages. */
export async function keepDependencyReport(
  { store, clock, info }: AdminDeps,
  found: DependencyReport,
): Promise<void> {
  const kept: KeptReport = { at: toIso(clock.now()), version: info.version, found };
  await store.config.setSetting(DEPENDENCY_SETTING, JSON.stringify(kept));
}

async function keptDependencyReport({ store }: AdminDeps): Promise<KeptReport | null> {
  const kept = await store.config.getSetting(DEPENDENCY_SETTING);
  return kept === null ? null : (JSON.parse(kept) as KeptReport);
}

/** Looks at everything that `tallygate security-check` looks at, and keeps what it found. */
export async function runCheckup(deps: AdminDeps, by: string): Promise<CheckupRun> {
  const now = new Date(deps.clock.now());
  const host = await deps.checkHost();
  const run: CheckupRun = {
    at: now.toISOString(),
    by,
    safety: [
      ...host.safety,
      ...(await runAll(stateSafetyChecks(factsOf(deps), now), failureOf)),
      judgeDependencies(await keptDependencyReport(deps), { version: deps.info.version, now }),
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

import type { SecurityOverview } from '@tallygate/contract/api/security';
import { findingsOf, type UsagePace } from '../../security/findings.ts';
import type { NamedView } from '../../security/security-monitor.ts';
import type { UsageSumsRow } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';

const DAY_MS = 86_400_000;
const AVERAGED_DAYS = 7;

const tokensOf = ({ tokens }: Pick<UsageSumsRow, 'tokens'>): number =>
  Object.values(tokens).reduce((sum, count) => sum + count, 0);

/** How much was used in the last 24 hours and on an average day of the week before, together and by key. */
export async function usagePaces({ store, clock }: Pick<AdminDeps, 'store' | 'clock'>): Promise<UsagePace[]> {
  const nowMs = clock.now();
  const dayStartMs = nowMs - DAY_MS;
  const lastDay = { workspaceId: null, fromMs: dayStartMs, toMs: nowMs };
  const before = { workspaceId: null, fromMs: dayStartMs - AVERAGED_DAYS * DAY_MS, toMs: dayStartMs };
  const [recent, earlier, keys] = await Promise.all([
    store.usage.breakdown(lastDay, 'key'),
    store.usage.breakdown(before, 'key'),
    store.config.listKeys(null),
  ]);
  const names = new Map(keys.map((key) => [key.id, key.name]));
  const averages = new Map(earlier.map((row) => [row.groupKey, tokensOf(row) / AVERAGED_DAYS]));
  const sum = (rows: readonly UsageSumsRow[]): number =>
    rows.reduce((total, row) => total + tokensOf(row), 0);
  const together = {
    keyName: null,
    lastDayTokens: sum(recent),
    dailyAverageTokens: sum(earlier) / AVERAGED_DAYS,
  };
  const byKey = recent.flatMap((row): UsagePace[] => {
    if (row.groupKey === null) return [];
    const keyName = names.get(row.groupKey) ?? row.groupKey;
    return [{ keyName, lastDayTokens: tokensOf(row), dailyAverageTokens: averages.get(row.groupKey) ?? 0 }];
  });
  return [together, ...byKey];
}

const namedView = ({ lastMs, ...rest }: NamedView) => ({ ...rest, lastAt: toIso(lastMs) });

/** The security panel: counters of the last day, and what they mean. */
export async function securityOverview(deps: AdminDeps): Promise<SecurityOverview> {
  const view = deps.security.view();
  return {
    since: toIso(view.sinceMs),
    hours: view.hours.map(({ startMs, counts }) => ({ start: toIso(startMs), counts })),
    addresses: view.addresses.map(namedView),
    keyPrefixes: view.keyPrefixes.map(namedView),
    hosts: view.hosts.map(namedView),
    cspReports: view.cspReports.map(({ atMs, ...rest }) => ({ ...rest, at: toIso(atMs) })),
    findings: findingsOf(view, await usagePaces(deps)),
  };
}

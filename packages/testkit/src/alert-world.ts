import { unknownTokens } from '@tallygate/contract/usage';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import { AlertEvaluator } from '@tallygate/server/alerts/alert-evaluator';
import type { AlertSources } from '@tallygate/server/alerts/sources';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { silentLogger } from '@tallygate/server/kernel/logger';
import type { AlertRuleRow } from '@tallygate/server/store/ports/alerts';
import type { Store } from '@tallygate/server/store/store';
import { sampleSettled } from './sample-event.ts';

const MINUTE_MS = 60_000;
export const ALERT_START_MS = Date.UTC(2026, 10, 25, 12);

/** Evaluators over a real store, with a clock that stands still until it is moved. */
export interface AlertWorld {
  clock: { ms: number; now(): number; monotonicMs(): number };
  /** Sources that are not the ledger; tests change what they are about. */
  sources: AlertSources;
  evaluator(store?: Store): AlertEvaluator;
  rule(change?: Partial<AlertRuleRow>): Promise<AlertRuleRow>;
  /** Commits one request of a project. */
  spend(projectId: string, dollars: number, change?: Partial<UsageEvent>): Promise<void>;
  /** State and title of what was told, oldest first. */
  told(): Promise<string[]>;
}

export async function createAlertWorld(store: Store): Promise<AlertWorld> {
  const clock: AlertWorld['clock'] = {
    ms: ALERT_START_MS,
    now: () => clock.ms,
    monotonicMs: () => clock.ms,
  };
  const newId = createIdSource(clock);
  await store.config.ensureWorkspace({
    id: 'ws',
    slug: 'w',
    name: 'w',
    allowedAddresses: [],
    createdAtMs: 1,
  });
  for (const environment of ['production', 'staging'] as const) {
    await store.config.insertProject({
      id: environment,
      workspaceId: 'ws',
      slug: environment,
      name: environment,
      disconnectPolicy: 'abort',
      environment,
      createdAtMs: 1,
    });
  }
  let committed = 0;
  const sources: AlertSources = {
    usage: store.usage,
    projects: () => store.config.listProjects(null),
    budgets: async () => [],
    spentBetween: async () => 0,
    accounts: async () => [],
    findings: async () => [],
    label: async (_workspaceId, _group, key) => key ?? '(none)',
  };
  const world: AlertWorld = {
    clock,
    sources,
    evaluator: (on = store) =>
      new AlertEvaluator({
        store: on.alerts,
        sources: { ...sources, usage: on.usage, projects: () => on.config.listProjects(null) },
        clock,
        newId,
        logger: silentLogger,
        localKinds: on.capabilities.multiProcess ? ['budget', 'forecast', 'account', 'security'] : [],
      }),
    async rule(change = {}) {
      const row: AlertRuleRow = {
        id: newId(),
        workspaceId: 'ws',
        name: 'rule',
        environment: null,
        severity: 'warning',
        filter: {},
        condition: {
          kind: 'usage',
          metric: 'spend',
          window: 'hour',
          thresholdUsd: '10',
          minRequests: 20,
          timeZone: 'UTC',
        },
        channelIds: [],
        cooldownMs: 10 * MINUTE_MS,
        notifyRecovery: true,
        enabled: true,
        createdAtMs: clock.ms,
        ...change,
      };
      await store.alerts.insertAlertRule(row);
      return row;
    },
    async spend(projectId, dollars, change = {}) {
      committed += 1;
      const event = sampleSettled(newId(), {
        workspaceId: 'ws',
        projectId,
        startedAtMs: clock.ms,
        costNanoUsd: BigInt(Math.round(dollars * 1e9)),
        tokens: { ...unknownTokens(), inputUncached: 100 },
        ...change,
      });
      const committedAt = { segment: 1, offset: committed };
      await store.ledger.commit([event], { nodeId: 'n', committed: committedAt, lowWaterSegment: 0 });
    },
    told: async () =>
      (await store.alerts.listAlertEvents({ workspaceId: null, limit: 200 }))
        .reverse()
        .map(({ state, title }) => `${state}: ${title}`),
  };
  return world;
}

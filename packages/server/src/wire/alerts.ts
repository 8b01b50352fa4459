import { ACCOUNT_CONDITIONS, type AlertAccountCondition } from '@tallygate/contract/api/alerts';
import type { Environment } from '@tallygate/contract/api/projects';
import { conditionOf } from '../admin/accounts/account-view.ts';
import type { Alerting } from '../admin/alerts/alerting.ts';
import { toBudget } from '../admin/budgets/budget-book.ts';
import { loadNames, type Names } from '../admin/names.ts';
import { usagePaces } from '../admin/security/overview.ts';
import { AlertEvaluator } from '../alerts/alert-evaluator.ts';
import { noticeOf, sampleNotice } from '../alerts/notice.ts';
import { AlertOutbox } from '../alerts/outbox.ts';
import { rehearse } from '../alerts/rule-rehearsal.ts';
import type { AccountReading, AlertSources, BudgetReading } from '../alerts/sources.ts';
import { applyTemplate } from '../alerts/template.ts';
import type { ChannelAdapter, SendResult } from '../delivery/channel-adapter.ts';
import { discordChannel } from '../delivery/discord/adapter.ts';
import { emailChannel } from '../delivery/email/adapter.ts';
import { pagerdutyChannel } from '../delivery/pagerduty/adapter.ts';
import { slackChannel } from '../delivery/slack/adapter.ts';
import { teamsChannel } from '../delivery/teams/adapter.ts';
import { webhookChannel } from '../delivery/webhook/adapter.ts';
import type { LiveFeed } from '../ledger/live-feed.ts';
import { used } from '../limits/account-windows.ts';
import { findingsOf } from '../security/findings.ts';
import type { AlertChannelRow } from '../store/ports/alerts.ts';
import type { BudgetRow } from '../store/ports/budgets.ts';
import type { Core } from './core.ts';

/** Every way to reach people. Adding one is its folder and a line here. */
const CHANNELS: readonly ChannelAdapter[] = [
  webhookChannel,
  slackChannel,
  discordChannel,
  teamsChannel,
  emailChannel,
  pagerdutyChannel,
];

/** After a commit the rules wait this long for more of them, so that heavy traffic is not judged row by row. */
const AFTER_COMMIT_MS = 2_000;
const EVALUATE_EVERY_MS = 30_000;
const DELIVER_EVERY_MS = 5_000;
const TIDY_EVERY_MS = 3_600_000;
const KEEP_EVENTS_MS = 400 * 86_400_000;
const TIDY_AT_ONCE = 1_000;
/** Names are three small lists; one evaluation asks for many. */
const NAMES_FOR_MS = 5_000;
/** Of a day against a week: what moves in a minute changes nothing. */
const PACES_FOR_MS = 60_000;
/** Judging may take this part of the time at most: with many rules and much traffic it comes round less often. */
const REST_FACTOR = 5;

export interface AlertParts extends Alerting {
  evaluator: AlertEvaluator;
  outbox: AlertOutbox;
}

type Parts = Pick<
  Core,
  'store' | 'clock' | 'newId' | 'logger' | 'vault' | 'egress' | 'budgets' | 'security' | 'workspaceId'
> & { pooling: Pick<Core['pooling'], 'states'>; config: Pick<Core['config'], 'publicUrl'> };

/** The environment a budget is about, where it is about one. */
async function budgetEnvironments(
  { store }: Parts,
  workspaceId: string,
): Promise<(scope: BudgetRow['scope']) => Environment | null> {
  const projects = await store.config.listProjects(workspaceId);
  const byProject = new Map(projects.map(({ id, environment }) => [id, environment]));
  const projectOfKey = new Map(
    (await store.config.listKeys(workspaceId)).map(({ id, projectId }) => [id, projectId]),
  );
  return (scope) => {
    const part = (kind: string) => scope.find(({ kind: known }) => known === kind)?.value;
    const projectId = part('project') ?? projectOfKey.get(part('key') ?? '');
    return projectId === undefined ? null : (byProject.get(projectId) ?? null);
  };
}

async function budgetReadings(parts: Parts, workspaceId: string): Promise<BudgetReading[]> {
  const { store, budgets, clock } = parts;
  const environmentOf = await budgetEnvironments(parts, workspaceId);
  return (await store.budgets.listBudgets(workspaceId)).flatMap((row): BudgetReading[] => {
    const status = budgets.engine.status(row.id, clock.now());
    if (status === null) return [];
    const { held, startMs, endMs } = status.window;
    const { id, name, measure, limit, scope, sliding } = row;
    const environment = environmentOf(scope);
    const spent = used(status.window);
    return [{ id, name, environment, measure, limit, spent, held, sliding, startMs, endMs }];
  });
}

const isWatched = (condition: string): condition is AlertAccountCondition =>
  ACCOUNT_CONDITIONS.some((known) => known === condition);

async function accountReadings(
  { store, pooling, clock }: Parts,
  workspaceId: string,
): Promise<AccountReading[]> {
  const oauth = await store.oauth.listAccountOauth();
  const needsReauth = new Set(
    oauth.filter(({ reauthReason }) => reauthReason !== null).map(({ accountId }) => accountId),
  );
  return (await store.config.listAccounts(workspaceId))
    .filter(({ paused }) => !paused)
    .map((row) => {
      const condition = conditionOf(row, pooling.states.of(row.id), { oauth: null, nowMs: clock.now() });
      const known = isWatched(condition) ? condition : null;
      return { id: row.id, name: row.name, condition: needsReauth.has(row.id) ? 'needs_reauth' : known };
    });
}

function createSources(parts: Parts): AlertSources {
  const { store, budgets, security, clock } = parts;
  let paces: { atMs: number; loading: ReturnType<typeof usagePaces> } | null = null;
  const names = new Map<string, { atMs: number; loading: Promise<Names> }>();
  return {
    usage: store.usage,
    projects: (workspaceId) => store.config.listProjects(workspaceId),
    budgets: (workspaceId) => budgetReadings(parts, workspaceId),
    async spentBetween(budgetId, startMs, endMs) {
      const row = (await store.budgets.listBudgets(null)).find(({ id }) => id === budgetId);
      return row === undefined ? 0 : budgets.spentIn(toBudget(row), { startMs, endMs });
    },
    accounts: (workspaceId) => accountReadings(parts, workspaceId),
    async findings(workspaceId) {
      if (workspaceId !== parts.workspaceId) return [];
      const atMs = clock.now();
      if (paces === null || Math.abs(atMs - paces.atMs) > PACES_FOR_MS)
        paces = { atMs, loading: usagePaces({ store, clock }) };
      return findingsOf(security.view(), await paces.loading);
    },
    async label(workspaceId, group, key) {
      const atMs = clock.monotonicMs();
      const known = names.get(workspaceId);
      if (known !== undefined && atMs - known.atMs <= NAMES_FOR_MS)
        return (await known.loading).label(group, key);
      const loading = loadNames(store.config, workspaceId);
      names.set(workspaceId, { atMs, loading });
      return (await loading).label(group, key);
    },
  };
}

/**
 * The alerts over a core; nothing runs by itself until `keepWatching`.
 * @param background false leaves judging and sending to the server: a command ends before either would
 */
export function createAlerting(core: Parts, background: boolean): AlertParts {
  const { store, clock, newId, logger, vault, egress } = core;
  const { publicUrl } = core.config;
  async function trySend(
    notice: Parameters<Alerting['trySend']>[0],
    channel: AlertChannelRow,
  ): Promise<SendResult> {
    const adapter = CHANNELS.find(({ kind }) => kind === channel.kind);
    try {
      if (adapter === undefined) throw new Error('no such channel');
      const at = { table: 'alert_channel', row: channel.id, column: 'secret' };
      const secret = channel.sealedSecret === null ? null : vault.open(channel.sealedSecret, at);
      const { config, allowPrivate, template } = channel;
      return await adapter.send(
        applyTemplate(notice, template),
        { config, secret, allowPrivate },
        { egress, clock },
      );
    } catch (error) {
      logger.error('a channel cannot be used', { reason: `channel ${channel.id}`, error });
      return {
        ok: false,
        status: null,
        message: 'The channel’s settings cannot be read.',
        retryAfterMs: null,
      };
    }
  }
  const sources = createSources(core);
  const evaluator = new AlertEvaluator({
    store: store.alerts,
    sources,
    clock,
    newId,
    logger,
    sharedStore: store.capabilities.multiProcess,
  });
  const send = (event: Parameters<typeof noticeOf>[0], channel: AlertChannelRow) =>
    trySend(noticeOf(event, publicUrl), channel);
  const outbox = new AlertOutbox({ store: store.alerts, send, clock, newId, random: Math.random, logger });
  const deliver = (): void => {
    if (!background) return;
    outbox.run().catch((error: unknown) => logger.warn('alerts could not be sent', { error }));
  };
  const evaluateSoon = (): void => {
    if (!background) return;
    evaluator
      .evaluate(true)
      .then(deliver)
      .catch((error: unknown) => logger.warn('the alert rules could not be evaluated', { error }));
  };
  const sample = (eventId: string) => sampleNotice(eventId, clock.now(), publicUrl);
  return {
    evaluator,
    outbox,
    rehearse: (rule) => rehearse(rule, sources, clock.now()),
    evaluateSoon,
    deliver,
    channels: CHANNELS,
    sample,
    trySend,
  };
}

/**
 * Judges the rules after commits of the ledger and every half minute, and sends what is due.
 * @returns stops it and waits for what is under way
 */
export function keepWatching(
  { evaluator, outbox, deliver }: AlertParts,
  { store, clock, logger, liveFeed }: Pick<Core, 'store' | 'clock' | 'logger'> & { liveFeed: LiveFeed },
): () => Promise<void> {
  let soon: NodeJS.Timeout | undefined;
  let restMs = AFTER_COMMIT_MS;
  let running: Promise<unknown> = Promise.resolve();
  const failed = (error: unknown): void => logger.warn('the alert rules could not be evaluated', { error });
  const evaluate = (): void => {
    soon = undefined;
    const startedMs = clock.monotonicMs();
    running = evaluator
      .evaluate()
      .then(deliver, failed)
      .finally(() => {
        restMs = Math.max(AFTER_COMMIT_MS, REST_FACTOR * (clock.monotonicMs() - startedMs));
      });
  };
  const tidy = (): void => {
    store.alerts.deleteAlertEvents(clock.now() - KEEP_EVENTS_MS, TIDY_AT_ONCE).catch(failed);
  };
  const unsubscribe = liveFeed.subscribe(() => {
    if (evaluator.watching) soon ??= setTimeout(evaluate, restMs).unref();
  });
  const timers = [
    setInterval(evaluate, EVALUATE_EVERY_MS),
    setInterval(deliver, DELIVER_EVERY_MS),
    setInterval(tidy, TIDY_EVERY_MS),
  ];
  for (const timer of timers) timer.unref();
  evaluate(); // what an earlier process stored and did not send
  return async () => {
    unsubscribe();
    clearTimeout(soon);
    for (const timer of timers) clearInterval(timer);
    await running;
    await outbox.stop().catch(failed);
  };
}

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
import { used } from '../limits/account-windows.ts';
import type { AccountState } from '../pool/account-state.ts';
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

/** Names are three small lists; one evaluation asks for many. */
const NAMES_FOR_MS = 5_000;
/** Of a day against a week: what moves in a minute changes nothing. */
const PACES_FOR_MS = 60_000;
/** What a node learns of its own traffic alone. */
const KNOWN_TO_ONE = ['account', 'security'] as const;
/** Where every node counts for itself, it knows of budgets only what it served itself. */
const COUNTED_BY_ONE = [...KNOWN_TO_ONE, 'budget', 'forecast'] as const;

export interface AlertParts extends Alerting {
  /** Judges what one node judges for all: everything, where there is one process. */
  shared: AlertEvaluator;
  /** Judges what each node sees for itself. */
  local: AlertEvaluator;
  outbox: AlertOutbox;
}

type Parts = Pick<
  Core,
  'store' | 'clock' | 'newId' | 'logger' | 'vault' | 'egress' | 'budgets' | 'security' | 'workspaceId'
> & { pooling: Pick<Core['pooling'], 'states'>; config: Pick<Core['config'], 'redisUrl' | 'publicUrl'> };

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
  await budgets.engine.refresh(clock.now()); // other nodes spend, too
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

/** For as long as tokens that were refused may be on their way to being renewed. */
const RENEWAL_MS = 30_000;

/** What is over before anybody could look: one stumble, and a token that is renewed because it was refused. */
function isPassing(
  condition: AlertAccountCondition,
  { state, tokens, nowMs }: { state: AccountState; tokens: unknown; nowMs: number },
): boolean {
  if (condition === 'resting') return !state.circuitOpen;
  return condition === 'refused' && tokens !== null && nowMs - (state.refusedAtMs ?? nowMs) < RENEWAL_MS;
}

async function accountReadings(
  { store, pooling, clock }: Parts,
  workspaceId: string,
): Promise<AccountReading[]> {
  const oauth = await store.oauth.listAccountOauth();
  const oauthById = new Map(oauth.map((row) => [row.accountId, row]));
  const nowMs = clock.now();
  return (await store.config.listAccounts(workspaceId))
    .filter(({ paused }) => !paused)
    .map((row) => {
      const tokens = oauthById.get(row.id) ?? null;
      const state = pooling.states.of(row.id);
      const condition = conditionOf(row, state, { oauth: tokens, nowMs });
      const told = isWatched(condition) && !isPassing(condition, { state, tokens, nowMs });
      return { id: row.id, name: row.name, condition: told ? condition : null };
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

function localKindsOf({ store, config }: Pick<Parts, 'store' | 'config'>) {
  if (!store.capabilities.multiProcess) return [];
  return config.redisUrl === null ? COUNTED_BY_ONE : KNOWN_TO_ONE;
}

/**
 * The alerts over a core; nothing runs by itself: see `startJobs`.
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
  const judging = { store: store.alerts, sources, clock, newId, logger };
  const localKinds = localKindsOf(core);
  const shared = new AlertEvaluator({ ...judging, localKinds, judges: 'shared' });
  const local = new AlertEvaluator({ ...judging, localKinds, judges: 'local' });
  const evaluator: Alerting['evaluator'] = {
    async evaluate(evaluation) {
      const [ours, own] = await Promise.all([shared.evaluate(evaluation), local.evaluate(evaluation)]);
      return { rules: ours.rules + own.rules, events: ours.events + own.events };
    },
    retire: (rule) => (shared.judges(rule) ? shared : local).retire(rule),
  };
  const send = (event: Parameters<typeof noticeOf>[0], channel: AlertChannelRow) =>
    trySend(noticeOf(event, publicUrl), channel);
  const sending = { clock, newId, random: Math.random, logger };
  const sole = !store.capabilities.multiProcess;
  const outbox = new AlertOutbox({ store: store.alerts, sole, send, ...sending });
  const deliver = (): void => {
    if (!background) return;
    outbox.run().catch((error: unknown) => logger.warn('alerts could not be sent', { error }));
  };
  const evaluateSoon = (): void => {
    if (!background) return;
    evaluator
      .evaluate({ all: true })
      .then(deliver)
      .catch((error: unknown) => logger.warn('the alert rules could not be evaluated', { error }));
  };
  const sample = (eventId: string) => sampleNotice(eventId, clock.now(), publicUrl);
  return {
    shared,
    local,
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

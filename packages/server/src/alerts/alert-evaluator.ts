import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type {
  AlertChannelRow,
  AlertEventRow,
  AlertRuleRow,
  AlertStateRow,
  AlertStore,
  DeliveryRow,
} from '../store/ports/alerts.ts';
import type { Fence } from '../store/ports/leases.ts';
import { closedReading, type Ending } from './closed-reading.ts';
import { type Edge, judge } from './edges.ts';
import { DELIVERY_LIFE_MS } from './retry-schedule.ts';
import { readRule } from './rule-readings.ts';
import type { AlertSources } from './sources.ts';

type AlertKind = AlertRuleRow['condition']['kind'];

export interface EvaluatorDeps {
  store: AlertStore;
  sources: AlertSources;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  /**
   * Kinds of rules that each of several processes judges by what it alone knows: what only others see must not look
   * as if it were over. Empty where there is one process.
   */
  localKinds: readonly AlertKind[];
  /** Those kinds, the others, or all; left out, all. */
  judges?: 'local' | 'shared' | 'all';
}

export interface Evaluation {
  all?: boolean;
  fence?: Fence | null;
}

export interface EvaluationResult {
  rules: number;
  /** People are told of this many. */
  events: number;
}

/** Where a notice of the beginning is looked for when its end is told. */
const LAST_EVENTS = 200;
const GRACE_MS = 5 * 60_000;
const TOUCH_EVERY_MS = 60_000;
/** Unusual traffic is looked for in five weeks of hours; once in a while is enough for what takes an hour to see. */
const ANOMALY_EVERY_MS = 5 * 60_000;

/** Delivery rows of an event, one a channel. */
export function deliveriesOf(
  event: AlertEventRow,
  channels: readonly AlertChannelRow[],
  newId: IdSource,
): DeliveryRow[] {
  return channels.map((channel) => ({
    id: newId(),
    eventId: event.id,
    channelId: channel.id,
    status: 'pending',
    attempts: 0,
    createdAtMs: event.atMs,
    nextAttemptAtMs: event.atMs,
    expiresAtMs: event.atMs + DELIVERY_LIFE_MS,
    finishedAtMs: null,
    log: [],
  }));
}

/**
 * Judges every rule by committed figures and makes each edge once. State is read before the figures, so that a figure
 * is never older than the state it is held against; the store lets one of several processes make an edge.
 */
export class AlertEvaluator {
  readonly #deps: EvaluatorDeps;
  #running: Promise<EvaluationResult> | null = null;
  #next: Promise<EvaluationResult> | null = null;
  readonly #anomaliesAtMs = new Map<string, number>();
  #watching = true;

  constructor(deps: EvaluatorDeps) {
    this.#deps = deps;
  }

  /** False when the last evaluation found no rule that watches: then a commit of the ledger need not be looked at. */
  get watching(): boolean {
    return this.#watching;
  }

  /** Whether a rule is one of those that this evaluator judges. */
  judges({ condition }: Pick<AlertRuleRow, 'condition'>): boolean {
    const { judges = 'all', localKinds } = this.#deps;
    return judges === 'all' || localKinds.includes(condition.kind) === (judges === 'local');
  }

  /**
   * One after the other; calls made while one runs share the next. `all` also judges what is judged rarely; with a fence
   * nothing is written any more once its lease is lost.
   */
  evaluate({ all = false, fence = null }: Evaluation = {}): Promise<EvaluationResult> {
    if (all) this.#anomaliesAtMs.clear();
    if (this.#running === null) return this.#start(fence);
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#start(fence);
      });
    return this.#next;
  }

  /**
   * Ends what a rule fires before it is removed: whoever was told that it fires is told that nobody watches it any more.
   * The rule has to be off already, and an evaluation that began before is waited for, so that nothing fires after it.
   */
  async retire(rule: AlertRuleRow): Promise<void> {
    await this.#running?.catch(() => undefined);
    const states = (await this.#deps.store.listAlertStates()).filter(({ ruleId }) => ruleId === rule.id);
    await this.#close(rule, states, { ending: 'removed', fence: null });
  }

  #start(fence: Fence | null): Promise<EvaluationResult> {
    this.#running = this.#evaluate(fence).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #evaluate(fence: Fence | null): Promise<EvaluationResult> {
    const { store, logger } = this.#deps;
    const rules = (await store.listAlertRules(null)).filter((rule) => this.judges(rule));
    const watching = rules.filter(({ enabled }) => enabled).length;
    this.#watching = watching > 0;
    if (rules.length === 0) return { rules: 0, events: 0 };
    const states = await store.listAlertStates();
    let events = 0;
    for (const rule of rules) {
      if (rule.enabled && !this.#isDue(rule)) continue;
      const mine = states.filter((state) => state.ruleId === rule.id);
      try {
        events += rule.enabled
          ? await this.#evaluateRule(rule, mine, fence)
          : await this.#close(rule, mine, { ending: 'switched off', fence });
      } catch (error) {
        // One rule that cannot be read must not silence the others.
        logger.error('an alert rule could not be evaluated', { reason: `rule ${rule.id}`, error });
      }
    }
    return { rules: watching, events };
  }

  #isDue({ id, condition }: AlertRuleRow): boolean {
    if (condition.kind !== 'anomaly') return true;
    const nowMs = this.#deps.clock.now();
    if (nowMs - (this.#anomaliesAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < ANOMALY_EVERY_MS) return false;
    this.#anomaliesAtMs.set(id, nowMs);
    return true;
  }

  async #evaluateRule(
    rule: AlertRuleRow,
    states: readonly AlertStateRow[],
    fence: Fence | null,
  ): Promise<number> {
    const { store, sources, clock, localKinds } = this.#deps;
    const nowMs = clock.now();
    const readings = await readRule(rule, sources, nowMs);
    const graceMs = localKinds.includes(rule.condition.kind) ? GRACE_MS : 0;
    const { edges, still } = judge(rule, states, readings, { nowMs, graceMs });
    if (graceMs > 0) {
      const stale = still.filter(({ lastSeenAtMs }) => nowMs - lastSeenAtMs >= TOUCH_EVERY_MS);
      await store.touchAlertStates(stale, nowMs);
    }
    let told = 0;
    for (const edge of edges) if (await this.#make(rule, edge, { nowMs, fence })) told += 1;
    return told;
  }

  /** What still fires of a rule that judges nothing any more. Returns how much of it people are told. */
  async #close(
    rule: AlertRuleRow,
    states: readonly AlertStateRow[],
    { ending, fence }: { ending: Ending; fence: Fence | null },
  ): Promise<number> {
    const firing = states.filter((state) => state.firing);
    if (firing.length === 0) return 0;
    const { store, clock } = this.#deps;
    const { id: ruleId, workspaceId } = rule;
    const told = await store.listAlertEvents({ workspaceId, ruleId, limit: LAST_EVENTS });
    let closed = 0;
    for (const before of firing) {
      const fired = told.find(({ subject, state }) => subject === before.subject && state === 'firing');
      const reading = closedReading({ rule, subject: before.subject, ending, fired: fired ?? null });
      const edge = { before, reading, told: rule.notifyRecovery, closes: true };
      if (await this.#make(rule, edge, { nowMs: clock.now(), fence })) closed += 1;
    }
    return closed;
  }

  /** True when this process made the edge and people are told of it. */
  async #make(
    rule: AlertRuleRow,
    edge: Edge,
    { nowMs, fence }: { nowMs: number; fence: Fence | null },
  ): Promise<boolean> {
    const { store, newId } = this.#deps;
    const { before, reading, told, closes = false } = edge;
    const { subject, firing } = reading;
    const after: AlertStateRow = {
      ruleId: rule.id,
      subject,
      version: (before?.version ?? 0) + 1,
      firing,
      sinceMs: nowMs,
      lastFiredAtMs: firing ? nowMs : (before?.lastFiredAtMs ?? null),
      lastSeenAtMs: nowMs,
    };
    if (!told) {
      await store.recordAlertEdge({ before, after, event: null, deliveries: [], fence });
      return false;
    }
    const facts = [...reading.facts, ...((await reading.explain?.()) ?? [])];
    const event: AlertEventRow = {
      id: newId(),
      workspaceId: rule.workspaceId,
      ruleId: rule.id,
      ruleName: rule.name,
      subject,
      version: after.version,
      state: firing ? 'firing' : closes ? 'closed' : 'recovered',
      severity: rule.severity,
      environment: reading.environment,
      atMs: nowMs,
      sinceMs: firing ? (reading.sinceMs ?? nowMs) : (before?.sinceMs ?? nowMs),
      title: reading.title,
      text: reading.text,
      facts,
      path: reading.path ?? null,
    };
    const channels = (await store.listAlertChannels(rule.workspaceId)).filter(
      (channel) => channel.enabled && rule.channelIds.includes(channel.id),
    );
    const deliveries = deliveriesOf(event, channels, newId);
    return store.recordAlertEdge({ before, after, event, deliveries, fence });
  }
}

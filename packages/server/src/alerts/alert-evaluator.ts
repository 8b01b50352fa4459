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
import { closedReading, type Ending } from './closed-reading.ts';
import { type Edge, judge } from './edges.ts';
import { DELIVERY_LIFE_MS } from './retry-schedule.ts';
import { readRule } from './rule-readings.ts';
import type { AlertSources } from './sources.ts';

export interface EvaluatorDeps {
  store: AlertStore;
  sources: AlertSources;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  /** Other processes use the same store: what only they see must not look as if it were over. */
  sharedStore: boolean;
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
/** Judged by what a process knows by itself, not by the ledger that all share. */
const LOCAL_KINDS: readonly string[] = ['budget', 'forecast', 'account', 'security'];

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

  /** One after the other; calls made while one runs share the next. `all` also judges what is judged rarely. */
  evaluate(all = false): Promise<EvaluationResult> {
    if (all) this.#anomaliesAtMs.clear();
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#start();
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
    await this.#close(rule, states, 'removed');
  }

  #start(): Promise<EvaluationResult> {
    this.#running = this.#evaluate().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #evaluate(): Promise<EvaluationResult> {
    const { store, logger } = this.#deps;
    const rules = await store.listAlertRules(null);
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
          ? await this.#evaluateRule(rule, mine)
          : await this.#close(rule, mine, 'switched off');
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

  async #evaluateRule(rule: AlertRuleRow, states: readonly AlertStateRow[]): Promise<number> {
    const { store, sources, clock, sharedStore } = this.#deps;
    const nowMs = clock.now();
    const readings = await readRule(rule, sources, nowMs);
    const graceMs = sharedStore && LOCAL_KINDS.includes(rule.condition.kind) ? GRACE_MS : 0;
    const { edges, still } = judge(rule, states, readings, { nowMs, graceMs });
    if (graceMs > 0) {
      const stale = still.filter(({ lastSeenAtMs }) => nowMs - lastSeenAtMs >= TOUCH_EVERY_MS);
      await store.touchAlertStates(stale, nowMs);
    }
    let told = 0;
    for (const edge of edges) if (await this.#make(rule, edge, nowMs)) told += 1;
    return told;
  }

  /** What still fires of a rule that judges nothing any more. Returns how much of it people are told. */
  async #close(rule: AlertRuleRow, states: readonly AlertStateRow[], ending: Ending): Promise<number> {
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
      if (await this.#make(rule, edge, clock.now())) closed += 1;
    }
    return closed;
  }

  /** True when this process made the edge and people are told of it. */
  async #make(rule: AlertRuleRow, edge: Edge, nowMs: number): Promise<boolean> {
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
      await store.recordAlertEdge({ before, after, event: null, deliveries: [] });
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
    return store.recordAlertEdge({ before, after, event, deliveries: deliveriesOf(event, channels, newId) });
  }
}

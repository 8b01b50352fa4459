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

  #start(): Promise<EvaluationResult> {
    this.#running = this.#evaluate().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #evaluate(): Promise<EvaluationResult> {
    const { store, logger } = this.#deps;
    const rules = (await store.listAlertRules(null)).filter(({ enabled }) => enabled);
    this.#watching = rules.length > 0;
    if (!this.#watching) return { rules: 0, events: 0 };
    const states = await store.listAlertStates();
    let events = 0;
    for (const rule of rules) {
      if (!this.#isDue(rule)) continue;
      try {
        events += await this.#evaluateRule(
          rule,
          states.filter((state) => state.ruleId === rule.id),
        );
      } catch (error) {
        // One rule that cannot be read must not silence the others.
        logger.error('an alert rule could not be evaluated', { reason: `rule ${rule.id}`, error });
      }
    }
    return { rules: rules.length, events };
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

  /** True when this process made the edge and people are told of it. */
  async #make(rule: AlertRuleRow, { before, reading, told }: Edge, nowMs: number): Promise<boolean> {
    const { store, newId } = this.#deps;
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
      state: firing ? 'firing' : 'recovered',
      severity: rule.severity,
      environment: reading.environment,
      atMs: nowMs,
      sinceMs: firing ? (reading.sinceMs ?? nowMs) : (before?.sinceMs ?? nowMs),
      title: reading.title,
      text: reading.text,
      facts,
    };
    const channels = (await store.listAlertChannels(rule.workspaceId)).filter(
      (channel) => channel.enabled && rule.channelIds.includes(channel.id),
    );
    return store.recordAlertEdge({ before, after, event, deliveries: deliveriesOf(event, channels, newId) });
  }
}

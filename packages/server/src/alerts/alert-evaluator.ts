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

  #start(fence: Fence | null): Promise<EvaluationResult> {
    this.#running = this.#evaluate(fence).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #evaluate(fence: Fence | null): Promise<EvaluationResult> {
    const { store, logger } = this.#deps;
    const rules = (await store.listAlertRules(null)).filter(
      ({ enabled, condition }) => enabled && this.#judges(condition.kind),
    );
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
          fence,
        );
      } catch (error) {
        // One rule that cannot be read must not silence the others.
        logger.error('an alert rule could not be evaluated', { reason: `rule ${rule.id}`, error });
      }
    }
    return { rules: rules.length, events };
  }

  #judges(kind: AlertKind): boolean {
    const { judges = 'all', localKinds } = this.#deps;
    return judges === 'all' || localKinds.includes(kind) === (judges === 'local');
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

  /** True when this process made the edge and people are told of it. */
  async #make(
    rule: AlertRuleRow,
    { before, reading, told }: Edge,
    { nowMs, fence }: { nowMs: number; fence: Fence | null },
  ): Promise<boolean> {
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
    const deliveries = deliveriesOf(event, channels, newId);
    return store.recordAlertEdge({ before, after, event, deliveries, fence });
  }
}

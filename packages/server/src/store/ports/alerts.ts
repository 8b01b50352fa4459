import type {
  AlertCondition,
  AlertFilter,
  AlertSeverity,
  AlertState,
  AlertTemplate,
  ChannelKind,
  DeliveryStatus,
} from '@tallygate/contract/api/alerts';
import type { Environment } from '@tallygate/contract/api/projects';
import type { Fence } from './leases.ts';

export interface AlertRuleRow {
  id: string;
  workspaceId: string;
  name: string;
  /** Null watches every environment by itself. */
  environment: Environment | null;
  severity: AlertSeverity;
  filter: AlertFilter;
  condition: AlertCondition;
  channelIds: string[];
  cooldownMs: number;
  notifyRecovery: boolean;
  enabled: boolean;
  createdAtMs: number;
}

/** Where one subject of a rule stands: an environment, a budget's step, an account, a key. */
export interface AlertStateRow {
  ruleId: string;
  subject: string;
  /** Grows with every edge; a write names the one it stands on. */
  version: number;
  firing: boolean;
  /** Since when it has been so. */
  sinceMs: number;
  /** The last time a notice of it went out; null before the first. */
  lastFiredAtMs: number | null;
  /** When any process last saw it fire. */
  lastSeenAtMs: number;
}

export interface AlertFact {
  label: string;
  value: string;
}

/** What people are told. It never changes once it is stored. */
export interface AlertEventRow {
  id: string;
  workspaceId: string;
  /** Null for a test of a channel. */
  ruleId: string | null;
  ruleName: string;
  subject: string;
  /** Of the state after the edge; 0 for a test. */
  version: number;
  state: AlertState;
  severity: AlertSeverity;
  environment: Environment | null;
  atMs: number;
  sinceMs: number;
  title: string;
  text: string;
  facts: AlertFact[];
  /** The place in the dashboard that shows what it is about; null where there is none. */
  path: string | null;
}

export interface AlertChannelRow {
  id: string;
  workspaceId: string;
  name: string;
  kind: ChannelKind;
  /** What of its settings may be shown: JSON text of its adapter. */
  config: string;
  /** Vault text, context `{table:'alert_channel', row:id, column:'secret'}`; null when there is nothing secret. */
  sealedSecret: string | null;
  /** Where it goes, for people. */
  destination: string;
  allowPrivate: boolean;
  template: AlertTemplate | null;
  enabled: boolean;
  createdAtMs: number;
}

export interface DeliveryAttempt {
  atMs: number;
  ok: boolean;
  status: number | null;
  durationMs: number;
  message: string;
}

/** One event on its way to one channel. */
export interface DeliveryRow {
  id: string;
  eventId: string;
  channelId: string;
  status: DeliveryStatus;
  attempts: number;
  createdAtMs: number;
  nextAttemptAtMs: number;
  /** After this it is not tried any more. */
  expiresAtMs: number;
  finishedAtMs: number | null;
  log: DeliveryAttempt[];
}

/** A delivery that was claimed: nobody else sends it until the claim ends. */
export interface ClaimedDelivery {
  delivery: DeliveryRow;
  event: AlertEventRow;
  /** Null when it was removed meanwhile. */
  channel: AlertChannelRow | null;
}

/** What becomes of a claimed delivery. */
export type DeliveryOutcome = Pick<
  DeliveryRow,
  'status' | 'attempts' | 'nextAttemptAtMs' | 'finishedAtMs' | 'log'
>;

type ChannelChange = Partial<Omit<AlertChannelRow, 'id' | 'workspaceId' | 'createdAtMs'>>;
type RuleChange = Partial<Omit<AlertRuleRow, 'id' | 'workspaceId' | 'createdAtMs'>>;

/** Rules, what they found, and the outbox of what is to be told. Every write is one transaction. */
export interface AlertStore {
  /** Of a workspace, or of all. */
  listAlertRules(workspaceId: string | null): Promise<AlertRuleRow[]>;
  insertAlertRule(row: AlertRuleRow): Promise<void>;
  updateAlertRule(id: string, change: RuleChange): Promise<boolean>;
  /** Its states go with it; its events stay. */
  deleteAlertRule(id: string): Promise<boolean>;

  listAlertStates(): Promise<AlertStateRow[]>;
  /**
   * Makes an edge: the state, if it is still as `before` was read (null: not there), with its event and one delivery
   * for each channel, or nothing of it. False when somebody else made it: of many at once, one succeeds; and when the
   * lease was lost under which it was judged.
   */
  recordAlertEdge(edge: {
    before: AlertStateRow | null;
    after: AlertStateRow;
    /** Null changes the state and tells nobody. */
    event: AlertEventRow | null;
    deliveries: readonly DeliveryRow[];
    /** Left out, it was judged under no lease. */
    fence?: Fence | null;
  }): Promise<boolean>;
  /** Notes that these still fire. */
  touchAlertStates(states: readonly Pick<AlertStateRow, 'ruleId' | 'subject'>[], atMs: number): Promise<void>;

  listAlertEvents(query: {
    /** Null for all. */
    workspaceId: string | null;
    ruleId?: string;
    environment?: Environment;
    beforeMs?: number;
    limit: number;
  }): Promise<AlertEventRow[]>;
  findAlertEvents(ids: readonly string[]): Promise<AlertEventRow[]>;

  /** Of a workspace, or of all. */
  listAlertChannels(workspaceId: string | null): Promise<AlertChannelRow[]>;
  /** @throws AppError `name_taken` */
  insertAlertChannel(row: AlertChannelRow): Promise<void>;
  /** @throws AppError `name_taken` */
  updateAlertChannel(id: string, change: ChannelChange): Promise<boolean>;
  deleteAlertChannel(id: string): Promise<boolean>;

  /** Claims what is due and unclaimed, or whose claim has ended, oldest first. */
  claimDeliveries(claim: {
    token: string;
    nowMs: number;
    untilMs: number;
    limit: number;
  }): Promise<ClaimedDelivery[]>;
  /**
   * Ends every claim, so that what is due can be claimed at once. Only for whoever knows that nobody is sending: at the
   * start of the one process a store belongs to. Resolves with how many there were.
   */
  releaseDeliveryClaims(): Promise<number>;
  /** False when the claim was lost to another process. */
  finishDelivery(id: string, token: string, outcome: DeliveryOutcome): Promise<boolean>;
  listDeliveries(query: {
    /** Null for all. */
    workspaceId: string | null;
    status?: DeliveryStatus;
    eventId?: string;
    beforeMs?: number;
    limit: number;
  }): Promise<DeliveryRow[]>;
  findDeliveries(ids: readonly string[]): Promise<DeliveryRow[]>;
  /** Puts a finished delivery back on its way; false when there is none. */
  redeliver(id: string, times: { nowMs: number; expiresAtMs: number }): Promise<boolean>;
  /**
   * Removes events, with their deliveries, that are older than this and not on their way. Resolves with how many; none
   * when the lease was lost.
   */
  deleteAlertEvents(beforeMs: number, limit: number, fence?: Fence | null): Promise<number>;
}

import type { AlertEvaluator } from '../../alerts/alert-evaluator.ts';
import type { Rehearsal } from '../../alerts/rule-rehearsal.ts';
import type { ChannelAdapter, Notice, SendResult } from '../../delivery/channel-adapter.ts';
import type { AlertChannelRow, AlertRuleRow } from '../../store/ports/alerts.ts';

/** What the admin side needs of the alerts. */
export interface Alerting {
  evaluator: Pick<AlertEvaluator, 'evaluate' | 'retire'>;
  /** How often a rule would have told people of late. */
  rehearse(rule: AlertRuleRow): Promise<Rehearsal>;
  /** Judges the rules and sends what is due, beside the caller: what came of a change shows at once. */
  evaluateSoon(): void;
  /** Sends what is due, beside the caller. */
  deliver(): void;
  channels: readonly ChannelAdapter[];
  /** A notice that says it is a test. */
  sample(eventId: string): Notice;
  /** Tries once, in the words of the channel's template. Never rejects. */
  trySend(notice: Notice, channel: AlertChannelRow): Promise<SendResult>;
}

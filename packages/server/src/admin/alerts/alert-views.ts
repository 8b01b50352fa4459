import type {
  AlertEventView,
  AlertRuleView,
  ChannelView,
  DeliveryView,
} from '@tallygate/contract/api/alerts';
import { ruleSentence } from '../../alerts/rule-sentence.ts';
import type {
  AlertChannelRow,
  AlertEventRow,
  AlertRuleRow,
  AlertStateRow,
  DeliveryRow,
} from '../../store/ports/alerts.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import type { FilterNames } from './filter-names.ts';

/** A rule with where it stands. */
export function ruleView(
  row: AlertRuleRow,
  states: readonly AlertStateRow[],
  names: FilterNames,
): AlertRuleView {
  const mine = states.filter(({ ruleId }) => ruleId === row.id);
  const fired = mine.flatMap(({ lastFiredAtMs }) => (lastFiredAtMs === null ? [] : [lastFiredAtMs]));
  const { id, name, environment, severity, filter, condition, channelIds, notifyRecovery, enabled } = row;
  return {
    id,
    name,
    environment,
    severity,
    filter,
    condition,
    channelIds,
    cooldownMinutes: Math.round(row.cooldownMs / 60_000),
    notifyRecovery,
    enabled,
    sentence: ruleSentence(row, names),
    createdAt: toIso(row.createdAtMs),
    firing: mine
      .filter(({ firing }) => firing)
      .map(({ subject, sinceMs, lastFiredAtMs }) => ({
        subject,
        since: toIso(sinceMs),
        lastFiredAt: toIsoOrNull(lastFiredAtMs),
      })),
    lastFiredAt: fired.length === 0 ? null : toIso(Math.max(...fired)),
  };
}

export function eventView(row: AlertEventRow): AlertEventView {
  const { id, ruleId, ruleName, state, severity, environment, subject, title, text, facts, path } = row;
  const at = toIso(row.atMs);
  return {
    id,
    ruleId,
    ruleName,
    state,
    severity,
    environment,
    subject,
    at,
    since: toIso(row.sinceMs),
    title,
    text,
    facts,
    path,
  };
}

export function channelView(row: AlertChannelRow): ChannelView {
  const { id, name, kind, destination, allowPrivate, template, enabled } = row;
  return { id, name, kind, destination, allowPrivate, template, enabled, createdAt: toIso(row.createdAtMs) };
}

export function deliveryView(
  row: DeliveryRow,
  event: AlertEventRow | undefined,
  channel: AlertChannelRow | undefined,
): DeliveryView {
  return {
    id: row.id,
    eventId: row.eventId,
    channel: { id: row.channelId, name: channel?.name ?? row.channelId, kind: channel?.kind ?? null },
    title: event?.title ?? '',
    status: row.status,
    attempts: row.attempts,
    createdAt: toIso(row.createdAtMs),
    nextAttemptAt: row.status === 'pending' ? toIso(row.nextAttemptAtMs) : null,
    finishedAt: toIsoOrNull(row.finishedAtMs),
    log: row.log.map(({ atMs, ...rest }) => ({ at: toIso(atMs), ...rest })),
  };
}

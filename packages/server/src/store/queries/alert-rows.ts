import type { AlertCondition, AlertFilter, AlertSeverity } from '@tallygate/contract/api/alerts';
import type { Environment } from '@tallygate/contract/api/projects';
import type { AlertEventRow, AlertRuleRow, AlertStateRow } from '../ports/alerts.ts';
import type { AlertEventTable, AlertRuleTable, AlertStateTable } from '../tables/alert-tables.ts';
import { defined } from './row-changes.ts';

/** Between the table and the program. */
export const ruleRow = (row: AlertRuleTable): AlertRuleRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  environment: row.environment as Environment | null,
  severity: row.severity as AlertSeverity,
  filter: JSON.parse(row.filter) as AlertFilter,
  condition: JSON.parse(row.condition_json) as AlertCondition,
  channelIds: JSON.parse(row.channel_ids) as string[],
  cooldownMs: row.cooldown_ms,
  notifyRecovery: row.notify_recovery === 1,
  enabled: row.enabled === 1,
  createdAtMs: row.created_at_ms,
});

/** The columns of what a change names. */
export function ruleValues(row: Partial<AlertRuleRow>): Partial<AlertRuleTable> {
  const json = (value: unknown): string | undefined =>
    value === undefined ? undefined : JSON.stringify(value);
  return defined({
    name: row.name,
    environment: row.environment,
    severity: row.severity,
    filter: json(row.filter),
    condition_json: json(row.condition),
    channel_ids: json(row.channelIds),
    cooldown_ms: row.cooldownMs,
    notify_recovery: row.notifyRecovery === undefined ? undefined : Number(row.notifyRecovery),
    enabled: row.enabled === undefined ? undefined : Number(row.enabled),
  }) as Partial<AlertRuleTable>;
}

/** Between the table and the program. */
export const stateRow = (row: AlertStateTable): AlertStateRow => ({
  ruleId: row.rule_id,
  subject: row.subject,
  version: row.version,
  firing: row.firing === 1,
  sinceMs: row.since_ms,
  lastFiredAtMs: row.last_fired_at_ms,
  lastSeenAtMs: row.last_seen_at_ms,
});

/** Between the table and the program. */
export const stateValues = (row: AlertStateRow): AlertStateTable => ({
  rule_id: row.ruleId,
  subject: row.subject,
  version: row.version,
  firing: Number(row.firing),
  since_ms: row.sinceMs,
  last_fired_at_ms: row.lastFiredAtMs,
  last_seen_at_ms: row.lastSeenAtMs,
});

type EventBody = Pick<AlertEventRow, 'title' | 'text' | 'facts'> & Partial<Pick<AlertEventRow, 'path'>>;

/** A stored event; those from before notices had links have no path. */
export function eventRow(row: AlertEventTable): AlertEventRow {
  const { title, text, facts, path = null } = JSON.parse(row.body) as EventBody;
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    subject: row.subject,
    version: row.version,
    state: row.state as AlertEventRow['state'],
    severity: row.severity as AlertSeverity,
    environment: row.environment as Environment | null,
    atMs: row.at_ms,
    sinceMs: row.since_ms,
    title,
    text,
    facts,
    path,
  };
}

/** Between the table and the program. */
export const eventValues = ({ title, text, facts, path, ...row }: AlertEventRow): AlertEventTable => ({
  id: row.id,
  workspace_id: row.workspaceId,
  rule_id: row.ruleId,
  rule_name: row.ruleName,
  subject: row.subject,
  version: row.version,
  state: row.state,
  severity: row.severity,
  environment: row.environment,
  at_ms: row.atMs,
  since_ms: row.sinceMs,
  body: JSON.stringify({ title, text, facts, path }),
});

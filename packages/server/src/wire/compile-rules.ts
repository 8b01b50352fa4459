import { ruleActions, ruleConditions } from '@tallygate/contract/api/rules';
import type { Logger } from '../kernel/logger.ts';
import { compileRule } from '../rules/compile-rule.ts';
import type { Rule } from '../rules/rule.ts';
import type { RuleRow } from '../store/ports/rules.ts';

/** A rule that cannot be read (a newer program wrote it) refuses what it might have: passing over it could leak or overspend. */
function unreadable(row: RuleRow): Rule {
  return {
    id: row.id,
    name: row.name,
    conditions: [],
    actions: {
      deny: `The rule ${row.name} cannot be read by this version of the gate. Change or remove it.`,
    },
  };
}

/** The rules in force, of each workspace in order; null when there are none. */
export function compileRules(
  rows: readonly RuleRow[],
  logger: Logger,
): ReadonlyMap<string, readonly Rule[]> | null {
  const rules = new Map<string, Rule[]>();
  for (const row of rows) {
    if (!row.enabled) continue;
    const own = rules.get(row.workspaceId) ?? [];
    rules.set(row.workspaceId, own);
    try {
      const conditions = ruleConditions.parse(JSON.parse(row.conditions));
      const actions = ruleActions.parse(JSON.parse(row.actions));
      own.push(compileRule({ id: row.id, name: row.name, conditions, actions }));
    } catch (error) {
      logger.error('a rule cannot be read; requests that reach it are refused', { error });
      own.push(unreadable(row));
    }
  }
  return rules.size === 0 ? null : rules;
}

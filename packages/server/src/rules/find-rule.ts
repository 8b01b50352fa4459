import type { Rule, RuleSubject } from './rule.ts';

/** The first condition that does not hold; null when the rule applies. */
export function failingCondition(rule: Rule, subject: RuleSubject): string | null {
  for (const condition of rule.conditions) if (!condition.holds(subject)) return condition.text;
  return null;
}

/** The rule that applies: the first of which every condition holds. */
export function findRule(rules: readonly Rule[], subject: RuleSubject): Rule | null {
  for (const rule of rules) if (failingCondition(rule, subject) === null) return rule;
  return null;
}

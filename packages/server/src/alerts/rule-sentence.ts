import type { AlertCondition } from '@tallygate/contract/api/alerts';
import type { AlertRuleRow } from '../store/ports/alerts.ts';
import { amountText, METRIC_WORDS } from './amounts.ts';
import { thresholdOf } from './usage-rule.ts';
import { WINDOW_WORDS } from './window-range.ts';

const CONDITION_WORDS: Readonly<Record<string, string>> = {
  needs_reauth: 'needs a new sign-in',
  refused: 'is refused by its provider',
  resting: 'rests after failures',
  limited: 'reached a limit of its provider',
};

function list(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

function conditionSentence(condition: AlertCondition): string {
  switch (condition.kind) {
    case 'usage': {
      const { metric, window } = condition;
      return `${METRIC_WORDS[metric]} reaches ${amountText(metric, thresholdOf(condition))} ${WINDOW_WORDS[window]}`;
    }
    case 'budget': {
      const which = condition.budget === undefined ? 'A budget' : 'The budget';
      const basis = condition.basis === 'spent' ? 'spent' : 'spent or held';
      return `${which} is ${list(condition.percents.map((percent) => `${percent} %`))} ${basis}`;
    }
    case 'forecast':
      return `${condition.budget === undefined ? 'A budget' : 'The budget'} will be gone before it starts anew`;
    case 'account':
      return `An account ${list(condition.conditions.map((name) => CONDITION_WORDS[name] ?? name))}`;
    case 'security':
      return condition.minSeverity === 'critical'
        ? 'The security panel finds something critical'
        : 'The security panel finds something';
    case 'anomaly': {
      const { metric, by } = condition;
      const verb = metric === 'spend' ? 'is' : 'are';
      const whose = by === 'none' ? '' : ` of a ${by}`;
      return `${METRIC_WORDS[metric]}${whose} ${verb} far above what is usual at this hour`;
    }
  }
}

/** A rule in one sentence, for lists. */
export function ruleSentence({
  condition,
  environment,
}: Pick<AlertRuleRow, 'condition' | 'environment'>): string {
  const what = conditionSentence(condition);
  const ofTraffic = condition.kind === 'usage' || condition.kind === 'anomaly';
  if (environment !== null) return `${what}, in ${environment}.`;
  return ofTraffic ? `${what}, in any environment by itself.` : `${what}.`;
}

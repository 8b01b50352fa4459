import type { AlertCondition, AlertFilter } from '@tallygate/contract/api/alerts';
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

const FILTER_WORDS: Readonly<Record<keyof AlertFilter, string>> = {
  projects: 'project',
  keys: 'key',
  users: 'user',
  models: 'model',
  providers: 'provider',
  accounts: 'account',
  tags: 'tag',
};

/** `, only key ci and model a or b`; nothing when it watches everything. */
function filterSentence(filter: AlertFilter, nameOf: (kind: keyof AlertFilter, value: string) => string) {
  const parts = (Object.keys(FILTER_WORDS) as (keyof AlertFilter)[]).flatMap((kind) => {
    const values = filter[kind] ?? [];
    return values.length === 0
      ? []
      : [`${FILTER_WORDS[kind]} ${list(values.map((value) => nameOf(kind, value)))}`];
  });
  return parts.length === 0 ? '' : `, only ${parts.join(' and ')}`;
}

/** A rule in one sentence, for lists. */
export function ruleSentence(
  { condition, environment, filter }: Pick<AlertRuleRow, 'condition' | 'environment' | 'filter'>,
  nameOf: (kind: keyof AlertFilter, value: string) => string,
): string {
  const what = `${conditionSentence(condition)}${filterSentence(filter, nameOf)}`;
  const ofTraffic = condition.kind === 'usage' || condition.kind === 'anomaly';
  if (environment !== null) return `${what}, in ${environment}.`;
  return ofTraffic ? `${what}, in any environment by itself.` : `${what}.`;
}

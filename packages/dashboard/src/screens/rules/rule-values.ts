import { describeIssue } from '@tallygate/contract/api/describe-issue';
import {
  type RuleActions,
  type RuleConditions,
  type RuleView,
  ruleActions,
  ruleConditions,
  ruleCreateRequest,
} from '@tallygate/contract/api/rules';
import { isDeepEqual } from './is-deep-equal.ts';

/** A header and its pattern or value; a fallback's model and pool. */
export interface Pair {
  name: string;
  value: string;
}

/** What the form holds: text as it is typed, lists one a line. */
export interface RuleValues {
  view: 'form' | 'json';
  name: string;
  keys: string[];
  projects: string[];
  users: string;
  models: string;
  systemContains: string;
  headers: Pair[];
  timed: boolean;
  days: string[];
  from: string;
  to: string;
  timeZone: string;
  minTokens: number | string;
  maxTokens: number | string;
  refuses: boolean;
  deny: string;
  model: string;
  pool: string;
  setHeaders: Pair[];
  removeHeaders: string;
  maxOutputTokens: number | string;
  ownKey: boolean;
  fallbacks: Pair[];
  /** The same as JSON, while it is edited as such. */
  conditionsJson: string;
  actionsJson: string;
}

export interface RuleParts {
  conditions: RuleConditions;
  actions: RuleActions;
}

const NEW_RULE: RuleParts = { conditions: {}, actions: {} };

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const some = <T>(items: T[]): T[] | undefined => (items.length === 0 ? undefined : items);
const filled = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
const numberOf = (value: number | string): number | undefined => (value === '' ? undefined : Number(value));
const begun = ({ name, value }: Pair): boolean => name.trim() !== '' || value.trim() !== '';

/** Leaves out what is not set: a member that is there and undefined is another request. */
function defined<T extends object>(parts: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T;
}

function conditionsOf(values: RuleValues): RuleConditions {
  const days = values.days.map(Number).sort((a, b) => a - b);
  return defined<RuleConditions>({
    keys: some(values.keys),
    projects: some(values.projects),
    users: some(linesOf(values.users)),
    models: some(linesOf(values.models)),
    headers: some(
      values.headers.filter(begun).map(({ name, value }) => ({ name: name.trim(), pattern: value })),
    ),
    systemContains: some(linesOf(values.systemContains)),
    time: values.timed
      ? {
          ...(days.length === 0 ? {} : { days }),
          from: values.from,
          to: values.to,
          timeZone: values.timeZone.trim(),
        }
      : undefined,
    minTokens: numberOf(values.minTokens),
    maxTokens: numberOf(values.maxTokens),
  });
}

function actionsOf(values: RuleValues): RuleActions {
  if (values.refuses) return { deny: values.deny };
  return defined<RuleActions>({
    model: filled(values.model),
    pool: filled(values.pool),
    setHeaders: some(
      values.setHeaders.filter(begun).map(({ name, value }) => ({ name: name.trim(), value })),
    ),
    removeHeaders: some(linesOf(values.removeHeaders)),
    maxOutputTokens: numberOf(values.maxOutputTokens),
    ownKey: values.ownKey ? true : undefined,
    fallbacks: some(
      values.fallbacks
        .filter(begun)
        .map(({ name, value }) => defined({ model: filled(name), pool: filled(value) })),
    ),
  });
}

/** The rule that the fields say. */
export function toParts(values: RuleValues): RuleParts {
  return { conditions: conditionsOf(values), actions: actionsOf(values) };
}

function conditionFields({ time, ...given }: RuleConditions) {
  return {
    keys: given.keys ?? [],
    projects: given.projects ?? [],
    users: (given.users ?? []).join('\n'),
    models: (given.models ?? []).join('\n'),
    systemContains: (given.systemContains ?? []).join('\n'),
    headers: (given.headers ?? []).map(({ name, pattern }) => ({ name, value: pattern })),
    timed: time !== undefined,
    days: (time?.days ?? []).map(String),
    from: time?.from ?? '09:00',
    to: time?.to ?? '17:00',
    timeZone: time?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    minTokens: given.minTokens ?? '',
    maxTokens: given.maxTokens ?? '',
  };
}

function actionFields(given: RuleActions) {
  return {
    refuses: given.deny !== undefined,
    deny: given.deny ?? '',
    model: given.model ?? '',
    pool: given.pool ?? '',
    setHeaders: given.setHeaders ?? [],
    removeHeaders: (given.removeHeaders ?? []).join('\n'),
    maxOutputTokens: given.maxOutputTokens ?? '',
    ownKey: given.ownKey ?? false,
    fallbacks: (given.fallbacks ?? []).map(({ model = '', pool = '' }) => ({ name: model, value: pool })),
  };
}

const jsonOf = (value: unknown): string => JSON.stringify(value, null, 2);

/** The fields that say this rule. */
export function toValues(name: string, { conditions, actions }: RuleParts): RuleValues {
  return {
    view: 'form',
    name,
    ...conditionFields(conditions),
    ...actionFields(actions),
    conditionsJson: jsonOf(conditions),
    actionsJson: jsonOf(actions),
  };
}

/** False for what fields cannot hold, such as a text of several lines: saving them would change the rule. */
export function fitsForm(parts: RuleParts): boolean {
  return isDeepEqual(toParts(toValues('', parts)), parts);
}

/** What the form opens with: fields, or JSON where the fields would lose something. */
export function openingValues(rule: RuleView | null): RuleValues {
  const parts = rule ?? NEW_RULE;
  const { conditions, actions } = parts;
  const values = toValues(rule?.name ?? '', { conditions, actions });
  return fitsForm({ conditions, actions }) ? values : { ...values, view: 'json' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonProblem(schema: typeof ruleConditions | typeof ruleActions, text: string): string | null {
  const value = parsed(text);
  if (value === undefined) return 'Is not JSON.';
  const result = schema.safeParse(value);
  const issue = result.error?.issues[0];
  return issue === undefined ? null : `${issue.path.map(String).join('.')}: ${describeIssue(issue)}`;
}

/** What is wrong with the two texts, by field. */
export function jsonProblems({ conditionsJson, actionsJson }: RuleValues): Record<string, string> {
  const problems = {
    conditionsJson: jsonProblem(ruleConditions, conditionsJson),
    actionsJson: jsonProblem(ruleActions, actionsJson),
  };
  return defined(
    Object.fromEntries(Object.entries(problems).map(([field, text]) => [field, text ?? undefined])),
  );
}

/** The rule that is to be saved, from whichever of the two is being edited. */
export function partsOf(values: RuleValues): RuleParts {
  if (values.view === 'form') return toParts(values);
  return {
    conditions: parsed(values.conditionsJson) as RuleConditions,
    actions: parsed(values.actionsJson) as RuleActions,
  };
}

/** The form's field for a path of the contract, such as `conditions.headers.0.name`. */
export function fieldOf(path: string): string {
  const [part = '', member = '', at = '', inner = ''] = path.split('.');
  if (part !== 'conditions' && part !== 'actions') return part;
  if (member === 'time') return at === '' ? 'timeZone' : at;
  const rows = member === 'headers' || member === 'setHeaders' || member === 'fallbacks';
  if (!rows || at === '') return member === '' ? part : member;
  return `${member}.${at}.${inner === 'name' || inner === 'model' ? 'name' : 'value'}`;
}

/** The contract's complaints, by the form's fields. */
export function problemsOf(values: RuleValues): Record<string, string> {
  if (values.view === 'json') {
    const problems = jsonProblems(values);
    return values.name.trim() === '' ? { name: 'Give it a name.', ...problems } : problems;
  }
  const result = ruleCreateRequest.safeParse({ name: values.name, ...toParts(values) });
  const errors: Record<string, string> = {};
  for (const issue of result.error?.issues ?? [])
    errors[fieldOf(issue.path.map(String).join('.'))] ??= describeIssue(issue);
  return errors;
}

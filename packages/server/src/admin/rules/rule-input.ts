import type { RuleActions, RuleConditions } from '@tallygate/contract/api/rules';
import { compileRule } from '../../rules/compile-rule.ts';
import { mayRuleTouchHeader } from '../../rules/rule-headers.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { type InputProblem, invalidInput } from '../parse-input.ts';

const problem = (path: string, message: string): InputProblem => ({ in: 'body', path, message });

interface Known {
  keys: ReadonlySet<string>;
  projects: ReadonlySet<string>;
  pools: ReadonlySet<string>;
}

async function loadKnown({ store }: AdminDeps, workspaceId: string): Promise<Known> {
  const ids = (rows: readonly { id: string }[]) => new Set(rows.map((row) => row.id));
  return {
    keys: ids(await store.config.listKeys(workspaceId)),
    projects: ids(await store.config.listProjects(workspaceId)),
    pools: ids(await store.pool.listPools(workspaceId)),
  };
}

function conditionProblems(given: RuleConditions, known: Known): InputProblem[] {
  const found: InputProblem[] = [];
  for (const id of given.keys ?? [])
    if (!known.keys.has(id)) found.push(problem('conditions.keys', 'there is no key with that id'));
  for (const id of given.projects ?? [])
    if (!known.projects.has(id))
      found.push(problem('conditions.projects', 'there is no project with that id'));
  for (const { name } of given.headers ?? [])
    if (!mayRuleTouchHeader(name))
      found.push(problem('conditions.headers', `${name} is not for rules to look at`));
  if (given.minTokens !== undefined && given.maxTokens !== undefined && given.minTokens > given.maxTokens)
    found.push(problem('conditions.maxTokens', 'must not be less than minTokens'));
  return found;
}

function headerProblems({ setHeaders = [], removeHeaders = [] }: RuleActions): InputProblem[] {
  const names = [...setHeaders.map(({ name }) => name), ...removeHeaders];
  return names
    .filter((name) => !mayRuleTouchHeader(name))
    .map((name) => problem('actions', `${name} is not for rules to change`));
}

function actionProblems(given: RuleActions, known: Known): InputProblem[] {
  const found = headerProblems(given);
  const { pool, fallbacks = [], deny, ownKey } = given;
  const count = Object.keys(given).length;
  if (count === 0) found.push(problem('actions', 'a rule has to do something'));
  if (deny !== undefined && count > 1)
    found.push(problem('actions.deny', 'a rule that refuses can do nothing else'));
  if (pool !== undefined && !known.pools.has(pool))
    found.push(problem('actions.pool', 'there is no pool with that id'));
  for (const link of fallbacks) {
    if (link.model === undefined && link.pool === undefined)
      found.push(problem('actions.fallbacks', 'each names a model, a pool or both'));
    if (link.pool !== undefined && !known.pools.has(link.pool))
      found.push(problem('actions.fallbacks', 'there is no pool with that id'));
  }
  if (ownKey === true && fallbacks.length > 0)
    found.push(problem('actions.fallbacks', "a client's own key goes to one account only"));
  return found;
}

/** @throws AppError `invalid_request` naming what is wrong */
export async function checkRule(
  rule: { conditions: RuleConditions; actions: RuleActions },
  workspaceId: string,
  deps: AdminDeps,
): Promise<void> {
  const known = await loadKnown(deps, workspaceId);
  const found = [...conditionProblems(rule.conditions, known), ...actionProblems(rule.actions, known)];
  try {
    compileRule({ id: '', name: '', ...rule });
  } catch {
    found.push(problem('conditions.time.timeZone', 'must be an IANA time zone such as Europe/Berlin'));
  }
  if (found.length > 0) throw invalidInput(found);
}

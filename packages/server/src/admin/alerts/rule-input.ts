import type { AlertFilter, alertRuleCreateRequest } from '@tallygate/contract/api/alerts';
import type { z } from 'zod';
import { isTimeZone } from '../../limits/budget-window.ts';
import type { AlertRuleRow } from '../../store/ports/alerts.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { loadNames, type Names } from '../names.ts';
import { invalidInput } from '../parse-input.ts';
import { loadUserNames, type UserNames } from '../user-names.ts';

type RuleFields = z.output<typeof alertRuleCreateRequest>;
type Judged = Pick<AlertRuleRow, 'environment' | 'filter' | 'condition' | 'channelIds'>;

const wrong = (path: string, message: string): Error => invalidInput([{ in: 'body', path, message }]);

const TRAFFIC: readonly string[] = ['usage', 'anomaly'];
const WITH_ENVIRONMENT: readonly string[] = [...TRAFFIC, 'budget', 'forecast'];

function assertKnown(kind: 'key' | 'account', ids: readonly string[] | undefined, names: Names): void {
  const unknown = ids?.find((id) => !names.knows(kind, id));
  if (unknown !== undefined) throw wrong(`filter.${kind}s`, `there is no ${kind} with the id "${unknown}"`);
}

/** Users by id, whoever named them by their name. */
function resolveUsers(filter: AlertFilter, people: UserNames): AlertFilter {
  if (filter.users === undefined) return filter;
  const users = filter.users.map((text) => {
    const id = people.idOf(text);
    if (id === null) throw wrong('filter.users', `there is nobody called "${text}"`);
    return id;
  });
  return { ...filter, users };
}

/** Projects by id, whoever named them by slug. */
function resolveFilter(filter: AlertFilter, names: Names): AlertFilter {
  assertKnown('key', filter.keys, names);
  assertKnown('account', filter.accounts, names);
  if (filter.projects === undefined) return filter;
  const projects = filter.projects.map((text) => names.projectId(text));
  const unknown = projects.findIndex((id) => !names.knows('project', id));
  if (unknown !== -1) throw wrong('filter.projects', `there is no project "${filter.projects[unknown]}"`);
  return { ...filter, projects };
}

function assertFits({ environment, filter, condition }: Judged): void {
  if (environment !== null && !WITH_ENVIRONMENT.includes(condition.kind))
    throw wrong('environment', `a rule on ${condition.kind} has none: leave it out`);
  const filtered = Object.values(filter).some((values) => values !== undefined && values.length > 0);
  if (filtered && !TRAFFIC.includes(condition.kind))
    throw wrong('filter', `a rule on ${condition.kind} watches no traffic, so it has no filter`);
  if (condition.kind === 'usage' && !isTimeZone(condition.timeZone))
    throw wrong('condition.timeZone', 'must be an IANA time zone such as Europe/Berlin');
}

/**
 * Checks the parts of a rule against each other and against what there is.
 * @throws AppError `invalid_request`
 */
export async function checkRule(rule: AlertRuleRow, deps: AdminDeps): Promise<AlertRuleRow> {
  assertFits(rule);
  const { workspaceId } = rule;
  if (rule.condition.kind === 'security' && workspaceId !== deps.firstWorkspaceId)
    throw wrong('condition.kind', 'on security belongs to the first workspace: it is about the installation');
  const { condition, channelIds } = rule;
  if ((condition.kind === 'budget' || condition.kind === 'forecast') && condition.budget !== undefined) {
    const budgets = await deps.store.budgets.listBudgets(workspaceId);
    if (!budgets.some(({ id }) => id === condition.budget))
      throw wrong('condition.budget', 'there is no budget with that id');
  }
  const channels = channelIds.length === 0 ? [] : await deps.store.alerts.listAlertChannels(workspaceId);
  if (!channelIds.every((id) => channels.some((channel) => channel.id === id)))
    throw wrong('channelIds', 'there is no channel with one of these ids');
  const names = await loadNames(deps.store.config, workspaceId);
  const people = await loadUserNames(deps.store.people, workspaceId);
  return { ...rule, filter: resolveFilter(resolveUsers(rule.filter, people), names) };
}

/** A rule row from a request; nothing is stored. @throws AppError `invalid_request` */
export async function newRule(body: RuleFields, deps: AdminDeps, workspaceId: string): Promise<AlertRuleRow> {
  const { cooldownMinutes, ...rest } = body;
  const row: AlertRuleRow = {
    ...rest,
    id: deps.newId(),
    workspaceId,
    cooldownMs: cooldownMinutes * 60_000,
    createdAtMs: deps.clock.now(),
  };
  return checkRule(row, deps);
}

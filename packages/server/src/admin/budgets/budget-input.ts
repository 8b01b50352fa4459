import { BUDGET_SCOPES, type BudgetMeasure, type budgetCreateRequest } from '@tallygate/contract/api/budgets';
import { parseUsd } from '@tallygate/contract/money';
import type { z } from 'zod';
import type { BudgetScope } from '../../limits/budget.ts';
import { isTimeZone } from '../../limits/budget-window.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { loadNames, type Names } from '../names.ts';
import { invalidInput } from '../parse-input.ts';

type Limits = Pick<z.output<typeof budgetCreateRequest>, 'limitUsd' | 'limitTokens' | 'limitRequests'>;

const wrong = (path: string, message: string): Error => invalidInput([{ in: 'body', path, message }]);

/** The one limit among the three; null when none is given. @throws AppError `invalid_request` for two of them */
export function readLimit(body: Limits): { measure: BudgetMeasure; limit: number } | null {
  const found: { measure: BudgetMeasure; limit: number }[] = [];
  if (body.limitUsd != null) found.push({ measure: 'usd', limit: Number(parseUsd(body.limitUsd)) });
  if (body.limitTokens != null) found.push({ measure: 'tokens', limit: body.limitTokens });
  if (body.limitRequests != null) found.push({ measure: 'requests', limit: body.limitRequests });
  if (found.length > 1)
    throw wrong('limitUsd', 'a budget has one limit: give one of limitUsd, limitTokens and limitRequests');
  return found[0] ?? null;
}

const SCOPE = /^([a-z]+)(?::(.+))?$/s;

function resolve(kind: BudgetScope['kind'], value: string, deps: AdminDeps, names: Names): string {
  if (kind === 'project') {
    const id = names.projectId(value);
    if (names.knows('project', id)) return id;
    throw wrong('scope', 'there is no project with that slug or id');
  }
  if ((kind === 'key' || kind === 'account') && !names.knows(kind, value))
    throw wrong('scope', `there is no ${kind} with that id`);
  if (kind === 'provider' && !deps.providers.some(({ id }) => id === value))
    throw wrong('scope', `must name one of ${deps.providers.map(({ id }) => id).join(', ')}`);
  return value;
}

/** `key:ID`, `project:SLUG`, …, checked against what there is. @throws AppError `invalid_request` */
export async function readScope(text: string, deps: AdminDeps, workspaceId: string): Promise<BudgetScope> {
  const [, kind, value] = SCOPE.exec(text) ?? [];
  if (kind === 'user')
    throw wrong('scope', 'requests carry no user yet, so a budget of a user would never count anything');
  const known = BUDGET_SCOPES.find((name) => name === kind);
  if (known === undefined || (known === 'workspace') !== (value === undefined))
    throw wrong(
      'scope',
      'must be workspace, or one of key, project, model, provider, account and tag with a value, as in key:ID',
    );
  if (known === 'workspace' || value === undefined) return { kind: 'workspace', value: '' };
  return { kind: known, value: resolve(known, value, deps, await loadNames(deps.store.config, workspaceId)) };
}

/** A budget row from a request; nothing is stored. @throws AppError `invalid_request` */
export async function readBudget(
  body: z.output<typeof budgetCreateRequest>,
  deps: AdminDeps,
  workspaceId: string,
): Promise<BudgetRow> {
  const limit = readLimit(body);
  if (limit === null) throw wrong('limitUsd', 'give one of limitUsd, limitTokens and limitRequests');
  const timeZone = body.timeZone ?? 'UTC';
  if (!isTimeZone(timeZone)) throw wrong('timeZone', 'must be an IANA time zone such as Europe/Berlin');
  const mode = body.mode ?? 'hard';
  if (mode === 'clamp' && limit.measure === 'requests')
    throw wrong('mode', 'a budget of requests cannot clamp: there is no output limit that would help it');
  const scope = await readScope(body.scope, deps, workspaceId);
  return {
    id: deps.newId(),
    workspaceId,
    name: body.name ?? body.scope.slice(0, 100),
    scopeKind: scope.kind,
    scopeValue: scope.value,
    ...limit,
    window: body.window,
    timeZone,
    mode,
    unpriced: body.unpriced ?? (mode === 'soft' ? 'allow' : 'refuse'),
    onOutage: body.onOutage ?? (mode === 'soft' ? 'open' : 'closed'),
    createdAtMs: deps.clock.now(),
  };
}

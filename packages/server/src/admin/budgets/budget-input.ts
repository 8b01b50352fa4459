import type { BudgetMeasure, budgetCreateRequest } from '@tallygate/contract/api/budgets';
import { parseUsd } from '@tallygate/contract/money';
import type { z } from 'zod';
import { isTimeZone } from '../../limits/budget-window.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { readScope, storedScopeText } from '../scope-input.ts';

type Limits = Pick<
  z.output<typeof budgetCreateRequest>,
  'limitUsd' | 'limitTokens' | 'limitWeightedTokens' | 'limitRequests'
>;

const wrong = (path: string, message: string): Error => invalidInput([{ in: 'body', path, message }]);

/** The one limit that is given; null when none is given. @throws AppError `invalid_request` for two of them */
export function readLimit(body: Limits): { measure: BudgetMeasure; limit: number } | null {
  const found: { measure: BudgetMeasure; limit: number }[] = [];
  if (body.limitUsd != null) found.push({ measure: 'usd', limit: Number(parseUsd(body.limitUsd)) });
  if (body.limitTokens != null) found.push({ measure: 'tokens', limit: body.limitTokens });
  if (body.limitWeightedTokens != null)
    found.push({ measure: 'weighted_tokens', limit: body.limitWeightedTokens });
  if (body.limitRequests != null) found.push({ measure: 'requests', limit: body.limitRequests });
  if (found.length > 1)
    throw wrong(
      'limitUsd',
      'a budget has one limit: give one of limitUsd, limitTokens, limitWeightedTokens and limitRequests',
    );
  return found[0] ?? null;
}

/** The price that a budget puts on what has none. @throws AppError `invalid_request` when it has one in vain */
export function readProvisional(
  usdPerMtok: string | undefined,
  { unpriced, measure }: Pick<BudgetRow, 'unpriced' | 'measure'>,
): number | null {
  if (unpriced === 'provisional' && measure !== 'usd')
    throw wrong('unpriced', 'only a budget in dollars needs a price for what has none');
  if (unpriced === 'provisional' && usdPerMtok === undefined)
    throw wrong('provisionalUsdPerMtok', 'say what a million tokens of a model without a price count as');
  if (unpriced !== 'provisional' && usdPerMtok !== undefined)
    throw wrong('provisionalUsdPerMtok', 'goes with the policy provisional, and with no other');
  return usdPerMtok === undefined ? null : Number(parseUsd(usdPerMtok));
}

/** @throws AppError `invalid_request` */
function readWindowHours({ window, windowHours }: z.output<typeof budgetCreateRequest>): number | null {
  if ((window === 'custom') !== (windowHours !== undefined))
    throw wrong('windowHours', 'goes with the window custom, and with no other: how many hours it lasts');
  return windowHours ?? null;
}

/** @throws AppError `invalid_request` */
function readSliding({ window, sliding, timeZone }: z.output<typeof budgetCreateRequest>): boolean {
  if (sliding !== true) return false;
  if (window === 'total') throw wrong('sliding', 'goes with every window but total, of which nothing leaves');
  if (timeZone !== undefined && timeZone !== 'UTC')
    throw wrong('timeZone', 'does not go with sliding: its window begins at no hour of any day');
  return true;
}

/** A budget row from a request; nothing is stored. @throws AppError `invalid_request` */
export async function readBudget(
  body: z.output<typeof budgetCreateRequest>,
  deps: AdminDeps,
  workspaceId: string,
): Promise<BudgetRow> {
  const limit = readLimit(body);
  if (limit === null)
    throw wrong('limitUsd', 'give one of limitUsd, limitTokens, limitWeightedTokens and limitRequests');
  const timeZone = body.timeZone ?? 'UTC';
  if (!isTimeZone(timeZone)) throw wrong('timeZone', 'must be an IANA time zone such as Europe/Berlin');
  const mode = body.mode ?? 'hard';
  if (mode === 'clamp' && limit.measure === 'requests')
    throw wrong('mode', 'a budget of requests cannot clamp: there is no output limit that would help it');
  const unpriced = body.unpriced ?? (mode === 'soft' ? 'allow' : 'refuse');
  const windowHours = readWindowHours(body);
  const provisionalNanoUsdPerMtok = readProvisional(body.provisionalUsdPerMtok, { unpriced, ...limit });
  const scopeText = storedScopeText(body.scope, deps);
  const scope = await readScope(scopeText, deps, workspaceId);
  return {
    id: deps.newId(),
    workspaceId,
    name: body.name ?? scopeText.slice(0, 100),
    scope: [...scope],
    ...limit,
    window: body.window,
    windowHours,
    sliding: readSliding(body),
    timeZone,
    mode,
    unpriced,
    provisionalNanoUsdPerMtok,
    onOutage: body.onOutage ?? (mode === 'soft' ? 'open' : 'closed'),
    createdAtMs: deps.clock.now(),
  };
}

import { compileGlob } from '../../kernel/glob.ts';
import type { Budget, Spend } from '../../limits/budget.ts';
import { spendOf } from '../../limits/budget-account.ts';
import type { Scope } from '../../limits/scope.ts';
import type { ModelSpendRow, RefundedRow, SpendQuestion } from '../../store/ports/budgets.ts';
import type { Store, UsageFilter, UsageSumsRow } from '../../store/store.ts';

type Range = { fromMs: number; toMs: number };

/** What rollups know of a scope; null when only rows can tell: of requested models, sessions, and several tags. */
export function filterOf({
  workspaceId,
  scope,
}: Pick<Budget, 'workspaceId' | 'scope'>): Omit<UsageFilter, keyof Range> | null {
  const filter: Omit<UsageFilter, keyof Range> = { workspaceId };
  for (const { kind, value } of scope) {
    if (kind === 'project') filter.projectIds = [value];
    else if (kind === 'key') filter.apiKeyIds = [value];
    else if (kind === 'user') filter.userIds = [value];
    else if (kind === 'provider') filter.providers = [value];
    else if (kind === 'account') filter.accountIds = [value];
    else if (kind === 'tag' && filter.tags === undefined) filter.tags = [value];
    else return null;
  }
  return filter;
}

const ROW_FIELDS = {
  project: 'projectId',
  key: 'apiKeyId',
  user: 'userId',
  session: 'sessionId',
  provider: 'provider',
  account: 'accountId',
} as const;

function questionOf(scope: Scope): Partial<SpendQuestion> {
  const question: Partial<SpendQuestion> = {};
  for (const { kind, value } of scope)
    if (kind in ROW_FIELDS) question[ROW_FIELDS[kind as keyof typeof ROW_FIELDS]] = value;
  const tags = scope.filter(({ kind }) => kind === 'tag').map(({ value }) => value);
  return tags.length === 0 ? question : { ...question, tags };
}

/** What a scope spent by the model that was asked for, read from rows. */
export async function spendByModel(
  store: Pick<Store, 'budgets'>,
  { workspaceId, scope }: Budget,
  range: Range,
): Promise<ModelSpendRow[]> {
  const rows = await store.budgets.readSpendByModel({ workspaceId, ...range, ...questionOf(scope) });
  return rows.filter(ofModels(scope));
}

/** Whether a row's model is one of the scope's. */
function ofModels(scope: Scope): (row: { model: string | null }) => boolean {
  const patterns = scope.filter(({ kind }) => kind === 'model').map(({ value }) => compileGlob(value));
  return ({ model }) =>
    patterns.length === 0 || (model !== null && patterns.every((pattern) => pattern.test(model)));
}

/** Requests of a budget's scope that came to nothing, where that makes a difference: to budgets in requests. */
export async function refundedIn(
  store: Pick<Store, 'budgets'>,
  { workspaceId, scope, measure }: Budget,
  range: Range,
): Promise<RefundedRow[]> {
  if (measure !== 'requests') return [];
  const rows = await store.budgets.readRefunded({ workspaceId, ...range, ...questionOf(scope) });
  return rows.filter(ofModels(scope));
}

export function spendOfModel(row: ModelSpendRow): Spend {
  const { costNanoUsd, tokens, weightedTokens, unpricedTokens } = row;
  return { costNanoUsd: Number(costNanoUsd), tokens, weightedTokens, unpricedTokens };
}

export function spendOfSums(sums: UsageSumsRow): Spend {
  const { costNanoUsd, weightedTokens, unpricedTokens } = sums;
  const tokens = Object.values(sums.tokens).reduce((sum, count) => sum + count, 0);
  return { costNanoUsd: Number(costNanoUsd), tokens, weightedTokens, unpricedTokens };
}

/** What the ledger says of a budget's scope over a stretch of time, in the budget's measure. */
export async function readSpent(
  store: Pick<Store, 'budgets' | 'usage'>,
  budget: Budget,
  range: Range,
): Promise<number> {
  const filter = filterOf(budget);
  // Before the sums: what is refunded between the two counts for a moment, and is never taken off uncounted.
  let spent = 0;
  for (const { requests } of await refundedIn(store, budget, range)) spent -= requests;
  if (filter !== null) {
    const sums = await store.usage.totals({ ...range, ...filter });
    return spent + spendOf(budget, spendOfSums(sums), sums.requests);
  }
  for (const row of await spendByModel(store, budget, range))
    spent += spendOf(budget, spendOfModel(row), row.requests);
  return spent;
}

import {
  type BudgetHistoryView,
  type BudgetHoldsView,
  type BudgetView,
  budgetCreateRequest,
  budgetUpdateRequest,
} from '@tallygate/contract/api/budgets';
import { type LimitView, limitCreateRequest, limitUpdateRequest } from '@tallygate/contract/api/limits';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A budget of a month that is half over. */
export function fakeBudget(id: string, nowMs: number, change: Partial<BudgetView> = {}): BudgetView {
  const startMs = nowMs - 15 * DAY_MS;
  return {
    id,
    name: id,
    scope: 'workspace',
    scopeLabel: 'workspace',
    measure: 'usd',
    limitUsd: '50',
    limitTokens: null,
    limitWeightedTokens: null,
    limitRequests: null,
    window: 'month',
    windowHours: null,
    sliding: false,
    timeZone: 'UTC',
    mode: 'hard',
    unpriced: 'refuse',
    provisionalUsdPerMtok: null,
    ...{ onOutage: 'open' as const },
    createdAt: new Date(startMs - DAY_MS).toISOString(),
    ...change,
    status: {
      windowStart: new Date(startMs).toISOString(),
      resetsAt: new Date(nowMs + 15 * DAY_MS).toISOString(),
      spent: '12.5',
      held: '0.75',
      left: '36.75',
      utilisation: 0.25,
      exceeded: false,
      ...change.status,
    },
  };
}

/** One that lasts, one that does not, and one that is used up. */
export function fakeBudgets(nowMs: number): BudgetView[] {
  const status = fakeBudget('x', nowMs).status;
  return [
    fakeBudget('everything', nowMs),
    fakeBudget('web team', nowMs, {
      ...{ scope: 'project:support-bot', scopeLabel: 'project support-bot', mode: 'clamp' },
      status: { ...status, spent: '45.1', held: '1', left: '3.9', utilisation: 0.902 },
    }),
    fakeBudget('Ada on opus', nowMs, {
      ...{ scope: 'user:ada,model:claude-opus-*', scopeLabel: 'user ada, model claude-opus-*' },
      ...{ measure: 'tokens', limitUsd: null, limitTokens: 1_000_000, window: 'custom', windowHours: 5 },
      status: {
        ...status,
        ...{ spent: 1_000_400, held: 0, left: 0, utilisation: 1.0004, exceeded: true },
        resetsAt: new Date(nowMs + 2 * HOUR_MS).toISOString(),
      },
    }),
  ];
}

function fakeBudgetHistory(nowMs: number): BudgetHistoryView {
  const start = (days: number): string => new Date(nowMs - days * DAY_MS).toISOString();
  return {
    windows: [
      { start: start(15), end: start(-15), spent: '12.5' },
      { start: start(45), end: start(15), spent: '31.07' },
    ],
    users: [{ kind: 'key', id: 'key_1', label: 'Mira, laptop', spent: '7.25' }],
  };
}

function fakeHolds(budget: BudgetView, nowMs: number): BudgetHoldsView {
  const { id, name, measure, status } = budget;
  if (Number(status.held) === 0) return { holds: [] };
  const startedAt = new Date(nowMs - 3_000).toISOString();
  const budgets = [{ id, name, measure, held: status.held }];
  return { holds: [{ requestId: '019a-on-its-way', startedAt, clampedTo: null, budgets }] };
}

export function fakeLimits(nowMs: number): LimitView[] {
  const createdAt = new Date(nowMs - DAY_MS).toISOString();
  return [
    {
      ...{ id: 'lim_1', name: 'per key', scope: 'workspace', scopeLabel: 'workspace', per: 'key' },
      ...{ measure: 'requests', limit: 60, window: 'minute', burst: 10, createdAt },
      status: {
        counting: 3,
        fullest: [{ label: 'Mira, laptop', used: 57, held: 0, left: 3 }],
      },
    },
    {
      ...{ id: 'lim_2', name: 'streams', scope: 'workspace', scopeLabel: 'workspace', per: 'all' },
      ...{ measure: 'concurrent_streams', limit: 4, window: null, burst: null, createdAt },
      status: { counting: 0, fullest: [] },
    },
  ];
}

/** What a valid request would make of it; the stand-in knows no projects, keys or people. */
function madeBudget(body: unknown, id: string, nowMs: number): BudgetView {
  const { name, unpriced = 'refuse', ...given } = budgetCreateRequest.parse(body);
  const status = { ...fakeBudget('x', nowMs).status, spent: '0', held: '0', left: given.limitUsd ?? 0 };
  return fakeBudget(id, nowMs, {
    ...{ name: name ?? given.scope, scope: given.scope, scopeLabel: given.scope, window: given.window },
    sliding: given.sliding ?? false,
    ...{ limitUsd: given.limitUsd ?? null, unpriced, mode: given.mode ?? 'hard' },
    status: { ...status, utilisation: 0 },
  });
}

function changedBudget(budget: BudgetView, body: unknown): BudgetView {
  const { name, limitUsd, mode } = budgetUpdateRequest.parse(body);
  return {
    ...budget,
    name: name ?? budget.name,
    limitUsd: limitUsd ?? budget.limitUsd,
    mode: mode ?? budget.mode,
  };
}

function madeLimit(body: unknown, id: string, nowMs: number): LimitView {
  const {
    name,
    scope,
    measure,
    limit,
    per = 'all',
    window = null,
    burst = null,
  } = limitCreateRequest.parse(body);
  const createdAt = new Date(nowMs).toISOString();
  const status = { counting: 0, fullest: [] };
  const scopeLabel = scope;
  return {
    id,
    name: name ?? measure,
    scope,
    scopeLabel,
    per,
    measure,
    limit,
    window,
    burst,
    createdAt,
    status,
  };
}

const found = <T extends { id: string }>(list: T[], id: string | undefined): T => {
  const item = list.find((entry) => entry.id === decodeURIComponent(id ?? ''));
  if (!item) throw new Error(`the stand-in has no ${id}`);
  return item;
};

interface Money {
  budgets: BudgetView[];
  limits: LimitView[];
  ids: number;
  now(): number;
}
type MoneyHandler = (world: Money, call: { url: URL; body: unknown; params: string[] }) => unknown;

/** Budgets and limits of the stand-in. */
export const MONEY_ROUTES: [RegExp, MoneyHandler][] = [
  [/^GET \/api\/budgets$/, (w) => ({ budgets: w.budgets })],
  [
    /^GET \/api\/budgets\/holds$/,
    (w, { url }) => fakeHolds(found(w.budgets, url.searchParams.get('budget') ?? ''), w.now()),
  ],
  [/^GET \/api\/budgets\/([^/]+)\/history$/, (w) => fakeBudgetHistory(w.now())],
  [
    /^POST \/api\/budgets$/,
    (w, { body }) => {
      const made = madeBudget(body, `bud_${w.ids++}`, w.now());
      w.budgets.push(made);
      return made;
    },
  ],
  [
    /^PATCH \/api\/budgets\/([^/]+)$/,
    (w, { params: [id], body }) => {
      const changed = changedBudget(found(w.budgets, id), body);
      w.budgets = w.budgets.map((budget) => (budget.id === changed.id ? changed : budget));
      return changed;
    },
  ],
  [
    /^DELETE \/api\/budgets\/([^/]+)$/,
    (w, { params: [id] }) => {
      const gone = found(w.budgets, id);
      w.budgets = w.budgets.filter((budget) => budget !== gone);
      return {};
    },
  ],
  [/^GET \/api\/limits$/, (w) => ({ limits: w.limits })],
  [
    /^POST \/api\/limits$/,
    (w, { body }) => {
      const made = madeLimit(body, `lim_${w.ids++}`, w.now());
      w.limits.push(made);
      return made;
    },
  ],
  [
    /^PATCH \/api\/limits\/([^/]+)$/,
    (w, { body, params: [id] }) => Object.assign(found(w.limits, id), limitUpdateRequest.parse(body)),
  ],
  [
    /^DELETE \/api\/limits\/([^/]+)$/,
    (w, { params: [id] }) => {
      const gone = found(w.limits, id);
      w.limits = w.limits.filter((limit) => limit !== gone);
      return {};
    },
  ],
];

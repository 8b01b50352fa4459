import type { BudgetMode, BudgetWindow, OutagePolicy, UnpricedPolicy } from '@tallygate/contract/api/budgets';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { flag, optional, type ParseValue, required, withDefault } from '../../options/option.ts';
import { count, dollars, oneOf } from '../../options/parsers.ts';
import { formatLimit, formatWindow } from './budget-columns.ts';

/** A test checks these against the contract. */
export const WINDOWS = ['hour', 'day', 'week', 'month', 'total', 'custom'] as const satisfies BudgetWindow[];
/** Those that have a name of their own; a custom one is given by its length. */
const NAMED_WINDOWS = ['hour', 'day', 'week', 'month', 'total'] as const;
export const MODES = ['hard', 'soft', 'clamp'] as const satisfies BudgetMode[];
export const OUTAGE = ['closed', 'open'] as const satisfies OutagePolicy[];
export const UNPRICED = ['refuse', 'allow', 'provisional'] as const satisfies UnpricedPolicy[];

const HOURS = { h: 1, d: 24 } as const;

/** `day`, or `5h`. */
const windowOf: ParseValue<{ window: BudgetWindow; windowHours?: number }> = (text, flag) => {
  const [, digits, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (digits === undefined) return { window: oneOf(NAMED_WINDOWS)(text, flag) };
  return { window: 'custom', windowHours: Number(digits) * HOURS[unit as keyof typeof HOURS] };
};

export const budgetsCreate = defineCommand({
  name: 'budgets create',
  summary: 'Limit what may be spent',
  description:
    'Creates a budget in dollars, tokens or requests. Every request it covers reserves the most it can come to before ' +
    'it is sent, so that the budget cannot be overshot: "hard" refuses what does not fit, "clamp" first lowers the ' +
    'output limit of the request to what is left, "soft" only counts and flags. A limit of 0 lets nothing through.',
  options: {
    scope: required(
      'SCOPE',
      'workspace, key:ID, project:SLUG, user:NAME, session:ID, model:PATTERN, provider:ID, account:ID, tag:NAME, or ' +
        'several of them with commas, all of which have to match',
    ),
    limitUsd: optional('AMOUNT', 'Dollars, such as 12.50', dollars),
    limitTokens: optional('N', 'Tokens, in and out', count),
    limitWeightedTokens: optional(
      'N',
      'Tokens as if all were input: output counts five, a cache read a tenth',
      count,
    ),
    limitRequests: optional('N', 'Requests', count),
    window: required(
      'WINDOW',
      'When it starts anew: hour, day, week, month, total, or a length such as 5h or 14d',
      windowOf,
    ),
    sliding: flag(
      'It never starts anew: what was spent counts for the length of the window (a month: 30 days), then leaves',
    ),
    mode: withDefault('hard', 'MODE', `What it does: ${MODES.join(', ')}`, oneOf(MODES)),
    timeZone: optional('ZONE', 'Where days begin, such as Europe/Berlin (default: UTC)'),
    name: optional('NAME', 'Name to show (default: the scope)'),
    unpriced: optional(
      'POLICY',
      'Models without a price: refuse, allow or provisional (default: allow when soft, else refuse)',
      oneOf(UNPRICED),
    ),
    onOutage: optional(
      'POLICY',
      'Several nodes that cannot reach Redis: closed or open (default: open when soft, else closed)',
      oneOf(OUTAGE),
    ),
    provisionalUsdPerMtok: optional('AMOUNT', 'What a million tokens without a price count as', dollars),
  },
  examples: [
    {
      command: 'budgets create --scope project:web --limit-usd 50 --window month',
      explains: 'Fifty dollars a month for a project',
    },
    {
      command: 'budgets create --scope model:claude-opus-* --limit-tokens 1000000 --window day --mode clamp',
      explains: 'A million tokens a day for a family of models',
    },
    {
      command: 'budgets create --scope user:ada,project:web --limit-usd 5 --window 5h',
      explains: 'Five dollars of one person in one project, every five hours',
    },
    {
      command: 'budgets create --scope workspace --limit-usd 20 --window day --sliding',
      explains: 'Twenty dollars in any 24 hours',
    },
  ],
  async handler(
    context,
    { scope, limitUsd, limitTokens, limitWeightedTokens, limitRequests, window, mode, ...rest },
  ) {
    const limits = { limitUsd, limitTokens, limitWeightedTokens, limitRequests };
    const given = Object.entries(limits).filter(([, value]) => value !== undefined);
    if (given.length !== 1) {
      throw usageError(
        'A budget has one limit.',
        'Give one of --limit-usd, --limit-tokens, --limit-weighted-tokens and --limit-requests; make a second budget for a second limit.',
      );
    }
    const { sliding, timeZone, name, unpriced, onOutage, provisionalUsdPerMtok } = rest;
    const api = await context.connect('write');
    const budget = await api.budgets.create({
      scope,
      ...window,
      mode,
      ...(sliding ? { sliding } : {}),
      ...Object.fromEntries(given),
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(name === undefined ? {} : { name }),
      ...(unpriced === undefined ? {} : { unpriced }),
      ...(onOutage === undefined ? {} : { onOutage }),
      ...(provisionalUsdPerMtok === undefined ? {} : { provisionalUsdPerMtok }),
    });
    context.result(
      budget,
      () =>
        `Budget ${budget.id}: ${formatLimit(budget)} for ${budget.scopeLabel}, ${formatWindow(budget)}, ${budget.mode}.\n`,
    );
    return undefined;
  },
});

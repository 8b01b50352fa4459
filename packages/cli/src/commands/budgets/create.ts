import type { BudgetMode, BudgetWindow, OutagePolicy, UnpricedPolicy } from '@tallygate/contract/api/budgets';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { optional, required, withDefault } from '../../options/option.ts';
import { count, dollars, oneOf } from '../../options/parsers.ts';
import { formatLimit } from './budget-columns.ts';

/** A test checks these against the contract. */
export const WINDOWS = ['hour', 'day', 'week', 'month', 'total'] as const satisfies BudgetWindow[];
export const MODES = ['hard', 'soft', 'clamp'] as const satisfies BudgetMode[];
export const UNPRICED = ['refuse', 'allow'] as const satisfies UnpricedPolicy[];
export const OUTAGE = ['closed', 'open'] as const satisfies OutagePolicy[];

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
      'workspace, key:ID, project:SLUG, model:PATTERN, provider:ID, account:ID or tag:NAME',
    ),
    limitUsd: optional('AMOUNT', 'Dollars, such as 12.50', dollars),
    limitTokens: optional('N', 'Tokens, in and out', count),
    limitRequests: optional('N', 'Requests', count),
    window: required('WINDOW', `When it starts anew: ${WINDOWS.join(', ')}`, oneOf(WINDOWS)),
    mode: withDefault('hard', 'MODE', `What it does: ${MODES.join(', ')}`, oneOf(MODES)),
    timeZone: optional('ZONE', 'Where days begin, such as Europe/Berlin (default: UTC)'),
    name: optional('NAME', 'Name to show (default: the scope)'),
    unpriced: optional(
      'POLICY',
      'Models without a price: refuse or allow (default: allow when soft, else refuse)',
      oneOf(UNPRICED),
    ),
    onOutage: optional(
      'POLICY',
      'Several nodes that cannot reach Redis: closed or open (default: open when soft, else closed)',
      oneOf(OUTAGE),
    ),
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
  ],
  async handler(context, { scope, limitUsd, limitTokens, limitRequests, window, mode, ...rest }) {
    const limits = { limitUsd, limitTokens, limitRequests };
    const given = Object.entries(limits).filter(([, value]) => value !== undefined);
    if (given.length !== 1) {
      throw usageError(
        'A budget has one limit.',
        'Give one of --limit-usd, --limit-tokens and --limit-requests; make a second budget for a second limit.',
      );
    }
    const { timeZone, name, unpriced, onOutage } = rest;
    const api = await context.connect('write');
    const budget = await api.budgets.create({
      scope,
      window,
      mode,
      ...Object.fromEntries(given),
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(name === undefined ? {} : { name }),
      ...(unpriced === undefined ? {} : { unpriced }),
      ...(onOutage === undefined ? {} : { onOutage }),
    });
    context.result(
      budget,
      () =>
        `Budget ${budget.id}: ${formatLimit(budget)} for ${budget.scopeLabel}, ${budget.window}, ${budget.mode}.\n`,
    );
    return undefined;
  },
});

import { Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type BudgetView, budgetUpdateRequest } from '@tallygate/contract/api/budgets';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { ChangeDialog } from '../../app/manage/change-dialog.tsx';
import { RemoveDialog } from '../../app/manage/remove-dialog.tsx';
import { useChange } from '../../app/manage/use-change.ts';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { allowanceText, limitOf } from './budget-text.ts';

interface Props {
  budget: BudgetView;
  onClose: () => void;
}

const FIELD: Readonly<Record<BudgetView['measure'], string>> = {
  usd: 'limitUsd',
  tokens: 'limitTokens',
  weighted_tokens: 'limitWeightedTokens',
  requests: 'limitRequests',
};

const pathOf = (budget: BudgetView): string => `/api/budgets/${encodeURIComponent(budget.id)}`;

interface Values {
  name: string;
  limit: string;
  mode: string;
}

function toRequest({ name, limit, mode }: Values, measure: BudgetView['measure']) {
  return { name, mode, [FIELD[measure]]: measure === 'usd' ? limit.trim() : Number(limit.trim() || 'no') };
}

/** The API names the limit by its measure; the form has one field for it. */
function byField(errors: Record<string, string>, measure: BudgetView['measure']): Record<string, string> {
  const { [FIELD[measure]]: limit, ...others } = errors;
  return limit === undefined ? others : { ...others, limit };
}

/** Name, limit and mode; what it counts stays, because its books are about that. */
export function ChangeBudget({ budget, onClose }: Props) {
  const { measure } = budget;
  const api = useApi();
  const fields = useForm<Values>({
    initialValues: { name: budget.name, limit: String(limitOf(budget)), mode: budget.mode },
    validate: (values) => byField(schemaErrors(budgetUpdateRequest, toRequest(values, measure)), measure),
  });
  const change = useChange(
    ['budgets'],
    (values: Values) => api.send('PATCH', pathOf(budget), toRequest(values, measure)),
    {
      done: 'Budget changed.',
      onDone: onClose,
      onError: (error) => fields.setErrors(byField(fieldErrors(error), measure)),
    },
  );
  return (
    <ChangeDialog
      name={budget.name}
      pending={change.isPending}
      error={change.error}
      onSubmit={fields.onSubmit((values) => change.mutate(values))}
      onClose={onClose}
    >
      <TextInput label="Name" required {...fields.getInputProps('name')} />
      <TextInput
        label={measure === 'usd' ? 'Limit in dollars' : `Limit in ${measure.replace('_', ' ')}`}
        inputMode="decimal"
        required
        data-autofocus
        {...fields.getInputProps('limit')}
      />
      <Select
        label="When it is full"
        data={[
          { value: 'hard', label: 'Refuse what does not fit' },
          { value: 'clamp', label: 'Shorten answers, then refuse' },
          { value: 'soft', label: 'Only count and flag' },
        ]}
        allowDeselect={false}
        {...fields.getInputProps('mode')}
      />
    </ChangeDialog>
  );
}

export function RemoveBudget({ budget, onClose }: Props) {
  return (
    <RemoveDialog
      what="budget"
      name={budget.name}
      path={pathOf(budget)}
      keys={['budgets']}
      done="Budget removed. Nothing is limited by it from now on."
      onClose={onClose}
    >
      <p>
        {allowanceText(budget)} for {budget.scopeLabel} is not limited any more, from the next request on.
        What was spent stays in the ledger.
      </p>
    </RemoveDialog>
  );
}

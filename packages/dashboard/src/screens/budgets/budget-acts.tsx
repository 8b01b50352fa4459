import { Button, Modal, Select, TextInput } from '@mantine/core';
import { type BudgetView, budgetUpdateRequest } from '@tallygate/contract/api/budgets';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { RemoveDialog } from '../../app/manage/remove-dialog.tsx';
import { useChange } from '../../app/manage/use-change.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
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

/** Name, limit and mode; what it counts stays, because its books are about that. */
export function ChangeBudget(props: Props) {
  const { budget, onClose } = props;
  const api = useApi();
  const [name, setName] = useState(budget.name);
  const [limit, setLimit] = useState(String(limitOf(budget)));
  const [mode, setMode] = useState<string>(budget.mode);
  const field = FIELD[budget.measure];
  const body = {
    name,
    mode,
    [field]: budget.measure === 'usd' ? limit.trim() : Number(limit.trim() || 'no'),
  };
  const change = useChange(['budgets'], () => api.send('PATCH', pathOf(budget), body), {
    done: 'Budget changed.',
    onDone: onClose,
  });
  const [tried, setTried] = useState(false);
  const errors = { ...(tried ? schemaErrors(budgetUpdateRequest, body) : {}), ...fieldErrors(change.error) };
  return (
    <Modal opened onClose={onClose} title={`Change ${budget.name}`} size={460}>
      <form
        className={form.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (Object.keys(schemaErrors(budgetUpdateRequest, body)).length === 0) change.mutate(undefined);
        }}
      >
        <TextInput
          label="Name"
          value={name}
          error={errors.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={
            budget.measure === 'usd' ? 'Limit in dollars' : `Limit in ${budget.measure.replace('_', ' ')}`
          }
          inputMode="decimal"
          value={limit}
          error={errors[field]}
          onChange={(event) => setLimit(event.currentTarget.value)}
        />
        <Select
          label="When it is full"
          data={[
            { value: 'hard', label: 'Refuse what does not fit' },
            { value: 'clamp', label: 'Shorten answers, then refuse' },
            { value: 'soft', label: 'Only count and flag' },
          ]}
          allowDeselect={false}
          value={mode}
          error={errors.mode}
          onChange={(value) => setMode(value ?? budget.mode)}
        />
        <FormError error={change.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
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

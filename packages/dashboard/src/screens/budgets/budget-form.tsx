import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { budgetCreateRequest } from '@tallygate/contract/api/budgets';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { useChange } from '../../app/manage/use-change.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';

const MEASURES = [
  { value: 'limitUsd', label: 'Dollars' },
  { value: 'limitTokens', label: 'Tokens' },
  { value: 'limitWeightedTokens', label: 'Weighted tokens' },
  { value: 'limitRequests', label: 'Requests' },
];
const WINDOWS = [
  { value: 'hour', label: 'Every hour' },
  { value: 'day', label: 'Every day' },
  { value: 'week', label: 'Every week' },
  { value: 'month', label: 'Every month' },
  { value: 'custom', label: 'Every so many hours' },
  { value: 'total', label: 'Never' },
];
const LENGTHS = [
  { value: 'hour', label: 'Hour' },
  { value: 'day', label: '24 hours' },
  { value: 'week', label: '7 days' },
  { value: 'month', label: '30 days' },
  { value: 'custom', label: 'So many hours' },
  { value: 'total', label: 'Everything' },
];
const MODES = [
  { value: 'hard', label: 'Refuse what does not fit' },
  { value: 'clamp', label: 'Shorten answers, then refuse' },
  { value: 'soft', label: 'Only count and flag' },
];

interface Values {
  scope: string;
  name: string;
  amount: string;
  measure: string;
  window: string;
  windowHours: string;
  sliding: boolean;
  mode: string;
  timeZone: string;
}

/** Of a total nothing ever leaves. */
function slides({ sliding, window }: Values): boolean {
  return sliding && window !== 'total';
}

function toRequest(values: Values) {
  const { scope, name, amount, measure, window, windowHours, mode, timeZone } = values;
  const sliding = slides(values);
  return {
    scope: scope.trim(),
    ...(name.trim() === '' ? {} : { name }),
    [measure]: measure === 'limitUsd' ? amount.trim() : Number(amount.trim() || 'nothing'),
    window,
    ...(window === 'custom' ? { windowHours: Number(windowHours) } : {}),
    ...(sliding ? { sliding } : {}),
    mode,
    ...(timeZone.trim() === '' || sliding ? {} : { timeZone: timeZone.trim() }),
  };
}

/** The server names the limit by its measure; here it has one field. */
function errorsOf(given: Record<string, string>): Record<string, string> {
  const { limitUsd, limitTokens, limitWeightedTokens, limitRequests, ...rest } = given;
  const amount = limitUsd ?? limitTokens ?? limitWeightedTokens ?? limitRequests;
  return amount === undefined ? rest : { ...rest, amount };
}

/** What is limited, by how much, when it starts anew, and what happens then. */
export function BudgetForm({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const api = useApi();
  const fields = useForm<Values>({
    initialValues: {
      ...{ scope: 'workspace', name: '', amount: '', measure: 'limitUsd' },
      ...{ window: 'month', windowHours: '5', sliding: false, mode: 'hard', timeZone: '' },
    },
    validate: (values) => errorsOf(schemaErrors(budgetCreateRequest, toRequest(values))),
  });
  const create = useChange(
    ['budgets'],
    (values: Values) => api.send('POST', '/api/budgets', toRequest(values)),
    {
      done: 'Budget created. It counts from now on.',
      onDone,
      onError: (error) => fields.setErrors(errorsOf(fieldErrors(error))),
    },
  );
  return (
    <form className={form.form} onSubmit={fields.onSubmit((values) => create.mutate(values))} noValidate>
      <TextInput
        label="What it counts"
        description="workspace, project:SLUG, key:ID, user:NAME, session:ID, model:PATTERN, provider:ID, account:ID or tag:NAME; several with commas have to match all at once"
        placeholder="project:web,model:claude-opus-*"
        required
        data-autofocus
        {...fields.getInputProps('scope')}
      />
      <div className={form.pair}>
        <TextInput label="Limit" inputMode="decimal" required {...fields.getInputProps('amount')} />
        <Select label="Of" data={MEASURES} allowDeselect={false} {...fields.getInputProps('measure')} />
      </div>
      <div className={form.pair}>
        <Select
          label={slides(fields.values) ? 'Counts the last' : 'Starts anew'}
          data={slides(fields.values) ? LENGTHS : WINDOWS}
          allowDeselect={false}
          {...fields.getInputProps('window')}
        />
        {fields.values.window === 'custom' ? (
          <TextInput label="Hours" inputMode="numeric" {...fields.getInputProps('windowHours')} />
        ) : (
          <TextInput
            label="Time zone"
            placeholder="UTC"
            spellCheck={false}
            disabled={slides(fields.values)}
            {...fields.getInputProps('timeZone')}
          />
        )}
      </div>
      {fields.values.window !== 'total' && (
        <Checkbox
          label="Sliding"
          description="Never starts anew: what is spent counts for this long, then leaves, so that in no stretch of that length more than the limit is spent. A month is 30 days."
          {...fields.getInputProps('sliding', { type: 'checkbox' })}
        />
      )}
      <div className={form.pair}>
        <Select
          label="When it is full"
          data={MODES}
          allowDeselect={false}
          {...fields.getInputProps('mode')}
        />
        <TextInput label="Name" placeholder="optional" {...fields.getInputProps('name')} />
      </div>
      {create.isError && <FormError error={create.error} />}
      <div className={form.row}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending}>
          Create budget
        </Button>
      </div>
    </form>
  );
}

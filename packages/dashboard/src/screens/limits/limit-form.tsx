import { Button, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { LIMIT_MEASURES, LIMIT_PERS, limitCreateRequest } from '@tallygate/contract/api/limits';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { useChange } from '../../app/manage/use-change.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { MEASURE_TEXT, runsAtOnce } from './limit-text.ts';

const MEASURES = LIMIT_MEASURES.map((value) => ({ value, label: MEASURE_TEXT[value] }));
const PERS = LIMIT_PERS.map((value) => ({
  value,
  label: value === 'all' ? 'everybody together' : `each ${value}`,
}));
const WINDOWS = [
  { value: 'minute', label: 'a minute' },
  { value: 'hour', label: 'an hour' },
  { value: 'day', label: 'a day' },
];

interface Values {
  scope: string;
  limit: string;
  measure: string;
  window: string;
  per: string;
  burst: string;
  name: string;
}

function toRequest({ scope, limit, measure, window, per, burst, name }: Values) {
  const timed = !runsAtOnce(measure);
  return {
    scope: scope.trim(),
    measure,
    per,
    limit: Number(limit.trim() || 'nothing'),
    ...(timed ? { window } : {}),
    ...(timed && burst.trim() !== '' ? { burst: Number(burst) } : {}),
    ...(name.trim() === '' ? {} : { name }),
  };
}

/** How much of what, in what time, for whom. */
export function LimitForm({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const api = useApi();
  const fields = useForm<Values>({
    initialValues: {
      ...{ scope: 'workspace', limit: '60', measure: 'requests' },
      ...{ window: 'minute', per: 'key', burst: '', name: '' },
    },
    validate: (values) => schemaErrors(limitCreateRequest, toRequest(values)),
  });
  const create = useChange(
    ['limits'],
    (values: Values) => api.send('POST', '/api/limits', toRequest(values)),
    {
      done: 'Limit created. It counts from now on.',
      onDone,
      onError: (error) => fields.setErrors(fieldErrors(error)),
    },
  );
  const timed = !runsAtOnce(fields.values.measure);
  return (
    <form className={form.form} onSubmit={fields.onSubmit((values) => create.mutate(values))} noValidate>
      <div className={form.pair}>
        <TextInput
          label="Limit"
          inputMode="numeric"
          required
          data-autofocus
          {...fields.getInputProps('limit')}
        />
        <Select label="Of" data={MEASURES} allowDeselect={false} {...fields.getInputProps('measure')} />
      </div>
      {timed && (
        <div className={form.pair}>
          <Select label="In" data={WINDOWS} allowDeselect={false} {...fields.getInputProps('window')} />
          <TextInput
            label="At once"
            placeholder="all of them"
            inputMode="numeric"
            {...fields.getInputProps('burst')}
          />
        </div>
      )}
      <Select
        label="Counted for"
        description="Who has a count of their own"
        data={PERS}
        allowDeselect={false}
        {...fields.getInputProps('per')}
      />
      <TextInput
        label="Which requests"
        description="workspace, project:SLUG, key:ID, user:NAME, session:ID, model:PATTERN, provider:ID, account:ID or tag:NAME; several with commas have to match all at once"
        {...fields.getInputProps('scope')}
      />
      <TextInput label="Name" placeholder="optional" {...fields.getInputProps('name')} />
      {create.isError && <FormError error={create.error} />}
      <div className={form.row}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending}>
          Create limit
        </Button>
      </div>
    </form>
  );
}

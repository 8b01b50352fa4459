import { TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type LimitView, limitUpdateRequest } from '@tallygate/contract/api/limits';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { ChangeDialog } from '../../app/manage/change-dialog.tsx';
import { RemoveDialog } from '../../app/manage/remove-dialog.tsx';
import { useChange } from '../../app/manage/use-change.ts';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { limitText, MEASURE_TEXT, runsAtOnce } from './limit-text.ts';

interface Props {
  limit: LimitView;
  onClose: () => void;
}
interface Values {
  name: string;
  limit: string;
  burst: string;
}

const pathOf = ({ id }: LimitView): string => `/api/limits/${encodeURIComponent(id)}`;

function toRequest({ name, limit, burst }: Values, measure: LimitView['measure']) {
  const timed = !runsAtOnce(measure);
  return {
    name,
    limit: Number(limit.trim() || 'nothing'),
    ...(timed ? { burst: burst.trim() === '' ? null : Number(burst) } : {}),
  };
}

/** Name, amount and burst; what it counts and for whom stays. */
export function ChangeLimit({ limit, onClose }: Props) {
  const api = useApi();
  const fields = useForm<Values>({
    initialValues: {
      name: limit.name,
      limit: String(limit.limit),
      burst: limit.burst === null ? '' : String(limit.burst),
    },
    validate: (values) => schemaErrors(limitUpdateRequest, toRequest(values, limit.measure)),
  });
  const change = useChange(
    ['limits'],
    (values: Values) => api.send('PATCH', pathOf(limit), toRequest(values, limit.measure)),
    {
      done: 'Limit changed. What is counted goes on.',
      onDone: onClose,
      onError: (error) => fields.setErrors(fieldErrors(error)),
    },
  );
  return (
    <ChangeDialog
      name={limit.name}
      pending={change.isPending}
      error={change.error}
      onSubmit={fields.onSubmit((values) => change.mutate(values))}
      onClose={onClose}
    >
      <TextInput label="Name" required {...fields.getInputProps('name')} />
      <TextInput
        label={`Limit in ${MEASURE_TEXT[limit.measure]}`}
        inputMode="numeric"
        required
        data-autofocus
        {...fields.getInputProps('limit')}
      />
      {!runsAtOnce(limit.measure) && (
        <TextInput
          label="At once"
          placeholder="all of them"
          inputMode="numeric"
          {...fields.getInputProps('burst')}
        />
      )}
    </ChangeDialog>
  );
}

export function RemoveLimit({ limit, onClose }: Props) {
  return (
    <RemoveDialog
      what="limit"
      name={limit.name}
      path={pathOf(limit)}
      keys={['limits']}
      done="Limit removed. Nothing is held up by it from now on."
      onClose={onClose}
    >
      <p>
        {limitText(limit)}: nothing is held up by it any more, from the next request on. What it counted is
        forgotten.
      </p>
    </RemoveDialog>
  );
}

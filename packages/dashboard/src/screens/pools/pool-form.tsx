import { Button, Checkbox, Modal, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { PoolStrategy } from '@tallygate/contract/api/pool';
import { type NamedPoolView, poolCreateRequest } from '@tallygate/contract/api/pools';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { accountsQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { StrategyChoice } from './strategy-choice.tsx';

interface Values {
  name: string;
  strategy: PoolStrategy;
  accountIds: string[];
  notes: string;
}

/** A pool's name, accounts and strategy; null makes a new one. */
export function PoolForm({ pool, onClose }: { pool: NamedPoolView | null; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const accounts = useQuery(accountsQuery(api)).data?.accounts ?? [];
  const fields = useForm<Values>({
    initialValues: {
      name: pool?.name ?? '',
      strategy: pool?.strategy ?? 'session',
      accountIds: pool?.accounts.map(({ id }) => id) ?? [],
      notes: pool?.notes ?? '',
    },
    validate: (values) => schemaErrors(poolCreateRequest, values),
  });
  const save = useMutation({
    mutationFn: (values: Values) =>
      pool === null
        ? api.send<NamedPoolView>('POST', '/api/pools', values)
        : api.send<NamedPoolView>('PATCH', `/api/pools/${encodeURIComponent(pool.id)}`, values),
    onSuccess: async (saved) => {
      onClose();
      announce(`${saved.name} is saved. Requests get there by a rule that names it.`);
      await queryClient.invalidateQueries({ queryKey: ['pools'] });
    },
    onError: (error) => fields.setErrors(fieldErrors(error)),
  });
  return (
    <Modal opened onClose={onClose} title={pool === null ? 'Make a pool' : 'Edit pool'} size={480}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        <TextInput label="Name" required data-autofocus {...fields.getInputProps('name')} />
        <StrategyChoice
          label="How accounts are chosen"
          value={fields.values.strategy}
          onChange={(strategy) => fields.setFieldValue('strategy', strategy)}
        />
        <Checkbox.Group label="Accounts" {...fields.getInputProps('accountIds')}>
          {accounts.map((account) => (
            <Checkbox key={account.id} mt={8} value={account.id} label={account.name} />
          ))}
        </Checkbox.Group>
        <Textarea label="Notes" description="For you." rows={2} {...fields.getInputProps('notes')} />
        {save.isError && <FormError error={save.error} />}
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}

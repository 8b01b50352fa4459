import { Button, Modal, NumberInput, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type AccountView, accountUpdateRequest } from '@tallygate/contract/api/accounts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { BindingFields, type Bindings, bindingsOf, boundTo } from './binding-fields.tsx';
import { PinField, pinsOf } from './pin-field.tsx';
import { parsePatterns } from './provider-choice.ts';

interface Values extends Bindings {
  name: string;
  models: string;
  priority: number;
  weight: number;
  tier: number;
  notes: string;
  pinSha256: string;
  apiKey: string;
}

const toRequest = (values: Values) => ({
  name: values.name,
  models: parsePatterns(values.models),
  priority: values.priority,
  weight: values.weight,
  tier: values.tier,
  notes: values.notes.trim() === '' ? null : values.notes,
  boundTo: boundTo(values),
  pinSha256: pinsOf(values.pinSha256),
  ...(values.apiKey.trim() === '' ? {} : { apiKey: values.apiKey.trim() }),
});

/** Everything about an account that may change. Its service and address may not: that would be another account. */
export function EditAccount({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const fields = useForm<Values>({
    initialValues: {
      name: account.name,
      models: account.models.join('\n'),
      priority: account.priority,
      weight: account.weight,
      tier: account.tier,
      notes: account.notes ?? '',
      pinSha256: account.pinSha256.join('\n'),
      ...bindingsOf(account.boundTo),
      apiKey: '',
    },
    validate: (values) => schemaErrors(accountUpdateRequest, toRequest(values)),
  });
  const save = useMutation({
    mutationFn: (values: Values) =>
      api.send('PATCH', `/api/accounts/${encodeURIComponent(account.id)}`, toRequest(values)),
    onSuccess: async () => {
      onClose();
      announce('Account saved. New requests use it as it is now.');
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
    },
    onError: (error) => {
      const { boundTo: bound, ...errors } = fieldErrors(error);
      fields.setErrors(bound === undefined ? errors : { ...errors, boundProjects: bound });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Edit account" size={480}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        <TextInput label="Name" required data-autofocus {...fields.getInputProps('name')} />
        <PasswordInput
          label="New API key"
          description={
            account.credentialHint === null
              ? 'Empty: stays without one.'
              : `Empty: keeps the one that ends in ${account.credentialHint}.`
          }
          autoComplete="off"
          {...fields.getInputProps('apiKey')}
        />
        <Textarea
          label="Models it serves"
          description="One pattern a line; * stands for any run of characters. Empty: every model."
          rows={3}
          {...fields.getInputProps('models')}
        />
        <BindingFields
          projects={fields.getInputProps('boundProjects')}
          keys={fields.getInputProps('boundKeys')}
        />
        <NumberInput
          label="Priority"
          description="Among accounts that serve a model, the lowest number goes first."
          min={0}
          max={1000}
          allowDecimal={false}
          {...fields.getInputProps('priority')}
        />
        <NumberInput
          label="Weight"
          description="Its share of the calls beside accounts of the same priority."
          min={1}
          max={1000}
          allowDecimal={false}
          {...fields.getInputProps('weight')}
        />
        <NumberInput
          label="Tier"
          description="Size of its plan compared with the others, such as 1, 5 or 20. Its share is weight times tier."
          min={1}
          max={1000}
          allowDecimal={false}
          {...fields.getInputProps('tier')}
        />
        <PinField {...fields.getInputProps('pinSha256')} />
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

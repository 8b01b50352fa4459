import { Button, Checkbox, NumberInput, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { type AccountView, accountCreateRequest } from '@tallygate/contract/api/accounts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import classes from './account-form.module.css';
import { BindingFields, type Bindings, boundTo } from './binding-fields.tsx';
import { PinField, pinsOf } from './pin-field.tsx';
import { looksPrivate, type ProviderChoice, parsePatterns } from './provider-choice.ts';
import { SignInDialog, type SignInSubject } from './sign-in-dialog.tsx';

interface Values extends Bindings {
  name: string;
  apiKey: string;
  baseUrl: string;
  allowPrivateUpstream: boolean;
  models: string;
  priority: number;
  weight: number;
  pinSha256: string;
}

function toRequest(choice: ProviderChoice, values: Values) {
  const baseUrl = values.baseUrl.trim();
  return {
    provider: choice.provider,
    ...(choice.preset === null ? {} : { preset: choice.preset }),
    name: values.name,
    ...(values.apiKey.trim() === '' ? {} : { apiKey: values.apiKey.trim() }),
    ...(baseUrl === '' || baseUrl === choice.baseUrl ? {} : { baseUrl }),
    ...(values.allowPrivateUpstream ? { allowPrivateUpstream: true } : {}),
    ...(parsePatterns(values.models).length === 0 ? {} : { models: parsePatterns(values.models) }),
    priority: values.priority,
    weight: values.weight,
    ...(pinsOf(values.pinSha256).length === 0 ? {} : { pinSha256: pinsOf(values.pinSha256) }),
    ...(boundTo(values).length === 0 ? {} : { boundTo: boundTo(values) }),
  };
}

function validate(choice: ProviderChoice, values: Values): Record<string, string> {
  const errors = schemaErrors(accountCreateRequest, toRequest(choice, values));
  if (choice.credentialRequired && values.apiKey.trim() === '') errors.apiKey = `${choice.name} needs a key.`;
  if (choice.baseUrl === null && values.baseUrl.trim() === '')
    errors.baseUrl = 'Where the service answers, e.g. https://host/v1';
  return errors;
}

/** What the gate needs to reach one upstream. The rare settings are behind "More". */
export function AccountForm(props: {
  choice: ProviderChoice;
  onCreated: (account: AccountView) => void;
  onBack: () => void;
}) {
  const { choice, onCreated, onBack } = props;
  const api = useApi();
  const queryClient = useQueryClient();
  const fields = useForm<Values>({
    initialValues: {
      name: choice.baseUrl === null ? '' : choice.name,
      apiKey: '',
      baseUrl: choice.baseUrl ?? '',
      allowPrivateUpstream: choice.private,
      models: '',
      priority: 100,
      weight: 1,
      pinSha256: '',
      boundProjects: [],
      boundKeys: [],
    },
    validate: (values) => validate(choice, values),
  });
  const create = useMutation({
    mutationFn: (values: Values) => api.send<AccountView>('POST', '/api/accounts', toRequest(choice, values)),
    onSuccess: async (account) => {
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
      onCreated(account);
    },
    onError: (error) => fields.setErrors(fieldErrors(error)),
  });
  const [signIn, setSignIn] = useState<SignInSubject['account'] | null>(null);
  const beginSignIn = (): void => {
    const { apiKey: _apiKey, ...account } = toRequest(choice, { ...fields.values, apiKey: '' });
    const errors = schemaErrors(accountCreateRequest, account);
    if (Object.keys(errors).length > 0) fields.setErrors(errors);
    else setSignIn(account);
  };
  return (
    <form className={form.form} onSubmit={fields.onSubmit((values) => create.mutate(values))} noValidate>
      {signIn && (
        <SignInDialog
          title={`Sign ${signIn.name} in`}
          subject={{ account: signIn }}
          onClose={() => setSignIn(null)}
          onDone={onCreated}
        />
      )}
      <TextInput
        label="Name"
        description="For you; clients never see it."
        required
        {...fields.getInputProps('name')}
      />
      <PasswordInput
        label={choice.credentialRequired ? 'API key' : 'API key, if it takes one'}
        description="Stored encrypted, sent to this upstream only, never shown again."
        required={choice.credentialRequired}
        autoComplete="off"
        data-autofocus
        {...fields.getInputProps('apiKey')}
      />
      <Upstream fields={fields} />
      <More fields={fields} />
      {create.isError && <FormError error={create.error} />}
      <div className={form.row}>
        <Button variant="default" onClick={onBack}>
          Back
        </Button>
        <Button variant="default" onClick={beginSignIn}>
          Sign in with OAuth instead
        </Button>
        <Button type="submit" loading={create.isPending}>
          Add account
        </Button>
      </div>
    </form>
  );
}

function Upstream({ fields }: { fields: UseFormReturnType<Values> }) {
  const ask = looksPrivate(fields.values.baseUrl) || fields.values.allowPrivateUpstream;
  return (
    <>
      <TextInput label="Base URL" inputMode="url" spellCheck={false} {...fields.getInputProps('baseUrl')} />
      {ask && (
        <Checkbox
          size="sm"
          label="This upstream is on this machine or a private network"
          description="By default the gate connects to public addresses only, so that nobody can make it reach into your network. This lifts that for this one account."
          {...fields.getInputProps('allowPrivateUpstream', { type: 'checkbox' })}
        />
      )}
    </>
  );
}

const BEHIND_MORE = ['models', 'priority', 'weight', 'pinSha256'] as const;

function More({ fields }: { fields: UseFormReturnType<Values> }) {
  const [open, setOpen] = useState(false);
  if (!open && BEHIND_MORE.every((name) => fields.errors[name] === undefined)) {
    return (
      <button type="button" className={classes.more} aria-expanded="false" onClick={() => setOpen(true)}>
        Models, who it serves, priority, weight and pinned keys
      </button>
    );
  }
  return (
    <>
      <Textarea
        label="Models it serves"
        description="One pattern a line; * stands for any run of characters. Empty: every model."
        placeholder={'claude-*\ngpt-5*'}
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
      <PinField {...fields.getInputProps('pinSha256')} />
    </>
  );
}

import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type ApiKeyCreated, type KeyScope, keyCreateRequest } from '@tallygate/contract/api/keys';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { projectsQuery } from '../../app/api/queries.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import classes from './create-key-form.module.css';
import { OFFERED_SCOPES, SCOPE_TEXT } from './scopes.ts';

const EXPIRY = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In one year' },
];
const DAY_MS = 86_400_000;

interface Values {
  name: string;
  scopes: KeyScope[];
  project: string;
  expiryDays: string;
}

function toRequest(values: Values, nowMs: number) {
  const days = Number(values.expiryDays);
  return {
    name: values.name,
    scopes: values.scopes,
    ...(values.project.trim() === '' ? {} : { project: values.project.trim() }),
    ...(days > 0 ? { expiresAt: new Date(nowMs + days * DAY_MS).toISOString() } : {}),
  };
}

/** Name, what it may do, whose spend it is, how long. Nothing typed is lost when the server refuses. */
export function CreateKeyForm({
  onCreated,
  onCancel,
}: {
  onCreated: (key: ApiKeyCreated) => void;
  onCancel?: () => void;
}) {
  const api = useApi();
  const queryClient = useQueryClient();
  const projects = useQuery(projectsQuery(api));
  const fields = useForm<Values>({
    initialValues: { name: '', scopes: ['gateway'], project: 'default', expiryDays: '' },
    validate: (values) => schemaErrors(keyCreateRequest, toRequest(values, Date.now())),
  });
  const create = useMutation({
    mutationFn: (values: Values) =>
      api.send<ApiKeyCreated>('POST', '/api/keys', toRequest(values, Date.now())),
    onSuccess: async (key) => {
      onCreated(key);
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: ['keys'] }),
        queryClient.invalidateQueries({ queryKey: ['projects'] }),
      ]);
    },
    onError: (error) => fields.setErrors(fieldErrors(error)),
  });
  const slugs = (projects.data?.projects ?? []).map((project) => project.slug);
  return (
    <form className={form.form} onSubmit={fields.onSubmit((values) => create.mutate(values))} noValidate>
      <TextInput
        label="Name"
        description="Who or what uses it: you will look for it by this name."
        placeholder="support-bot production"
        required
        data-autofocus
        {...fields.getInputProps('name')}
      />
      <Checkbox.Group label="What it may do" {...fields.getInputProps('scopes')}>
        <div className={classes.scopes}>
          {OFFERED_SCOPES.map((scope) => (
            <Checkbox
              key={scope}
              value={scope}
              label={SCOPE_TEXT[scope].label}
              description={SCOPE_TEXT[scope].text}
              size="sm"
            />
          ))}
        </div>
      </Checkbox.Group>
      <div className={form.pair}>
        <TextInput
          label="Project"
          description="Spend is counted here"
          list="project-slugs"
          {...fields.getInputProps('project')}
        />
        <datalist id="project-slugs">
          {slugs.map((slug) => (
            <option key={slug} value={slug} />
          ))}
        </datalist>
        <Select
          label="Expires"
          description="Requests fail from then on"
          data={EXPIRY}
          allowDeselect={false}
          {...fields.getInputProps('expiryDays')}
        />
      </div>
      {create.isError && <FormError error={create.error} />}
      <div className={form.row}>
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <Button type="submit" loading={create.isPending}>
          Create key
        </Button>
      </div>
    </form>
  );
}

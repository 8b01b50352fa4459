import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type RoleList, type RoleView, roleCreateRequest } from '@tallygate/contract/api/people';
import { useApi } from '../../app/api/api-context.tsx';
import { useMay } from '../../app/api/use-may.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import classes from './roles.module.css';
import { usePeopleChange } from './use-people-change.ts';

interface Props {
  /** Null makes a new one. */
  role: RoleView | null;
  permissions: RoleList['permissions'];
  onClose: () => void;
}

/** A role of one's own: what one does not hold oneself cannot be ticked. */
export function RoleForm({ role, permissions, onClose }: Props) {
  const api = useApi();
  const may = useMay();
  const path = role === null ? '/api/roles' : `/api/roles/${encodeURIComponent(role.name)}`;
  const fields = useForm({
    initialValues: { name: role?.name ?? '', permissions: role?.permissions ?? [] },
    validate: (values) => schemaErrors(roleCreateRequest, values),
  });
  const save = usePeopleChange(
    (values: typeof fields.values) =>
      role === null
        ? api.send('POST', path, values)
        : api.send('PATCH', path, { permissions: values.permissions }),
    { done: role === null ? 'Role made.' : 'Role changed for everybody who has it.', onDone: onClose },
  );
  const remove = usePeopleChange(() => api.send('DELETE', path), { done: 'Role removed.', onDone: onClose });
  return (
    <Modal opened onClose={onClose} title={role === null ? 'New role' : `Role ${role.name}`} size={620}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        {role === null && (
          <TextInput
            label="Name"
            description="Lower-case letters, digits and dashes; it stays."
            required
            data-autofocus
            {...fields.getInputProps('name')}
          />
        )}
        <Checkbox.Group label="What it may do" {...fields.getInputProps('permissions')}>
          <div className={classes.choices}>
            {permissions.map(({ name, text }) => (
              <Checkbox
                key={name}
                value={name}
                label={text}
                description={name}
                size="sm"
                disabled={!may(name)}
              />
            ))}
          </div>
        </Checkbox.Group>
        <FormError error={save.error ?? remove.error} />
        <div className={form.row}>
          {role !== null && (
            <Button
              className={classes.apart ?? ''}
              variant="default"
              loading={remove.isPending}
              onClick={() => remove.mutate(undefined)}
            >
              Remove role
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {role === null ? 'Make role' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

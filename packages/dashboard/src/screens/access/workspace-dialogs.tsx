import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { WorkspaceView } from '@tallygate/contract/api/workspaces';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { rolesQuery } from '../../app/api/queries.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { RenameDialog } from '../../ui/rename-dialog.tsx';
import { useWorkspaceChange } from './use-workspace-change.ts';

interface Props {
  workspace: WorkspaceView;
  onClose: () => void;
}

const pathOf = ({ id }: WorkspaceView): string => `/api/workspaces/${encodeURIComponent(id)}`;

/** A name for people, and one for addresses and commands that stays. */
export function NewWorkspace({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const fields = useForm({ initialValues: { name: '', slug: '' } });
  const make = useWorkspaceChange(
    ({ name, slug }: typeof fields.values) =>
      api.send('POST', '/api/workspaces', { slug: slug.trim(), name: name.trim() || slug.trim() }),
    { done: 'Workspace made, with a default project.', onDone: onClose },
  );
  return (
    <Modal opened onClose={onClose} title="New workspace" size={440}>
      <form
        className={form.form}
        noValidate
        onSubmit={fields.onSubmit((values) =>
          make.mutate(values, { onError: (error) => fields.setErrors(fieldErrors(error)) }),
        )}
      >
        <TextInput
          label="Name"
          placeholder="Applied research"
          data-autofocus
          {...fields.getInputProps('name')}
        />
        <TextInput
          label="Short name"
          description="Lower-case letters, digits and dashes, for commands. It stays."
          placeholder="research"
          {...fields.getInputProps('slug')}
        />
        <FormError error={make.error} />
        <Buttons action="Make workspace" pending={make.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

/** Somebody who can sign in already joins another workspace; others are invited under People. */
export function AddMember({ workspace, onClose }: Props) {
  const api = useApi();
  const roles = useQuery(rolesQuery(api)).data?.roles ?? [];
  const fields = useForm({ initialValues: { username: '', role: 'developer' } });
  const add = useWorkspaceChange(
    (values: typeof fields.values) => api.send('POST', `${pathOf(workspace)}/members`, values),
    { done: 'Added. They can look at it from now on.', onDone: onClose },
  );
  return (
    <Modal opened onClose={onClose} title={`Add somebody to ${workspace.name}`} size={440}>
      <form
        className={form.form}
        noValidate
        onSubmit={fields.onSubmit((values) =>
          add.mutate(values, { onError: (error) => fields.setErrors(fieldErrors(error)) }),
        )}
      >
        <p>For people who can sign in already. Invite others under People, in that workspace.</p>
        <TextInput
          label="User name"
          autoComplete="off"
          data-autofocus
          {...fields.getInputProps('username')}
        />
        <Select
          label="Role there"
          data={roles.map((role) => role.name)}
          allowDeselect={false}
          {...fields.getInputProps('role')}
        />
        <FormError error={add.error} />
        <Buttons action="Add" pending={add.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

export function RenameWorkspace({ workspace, onClose }: Props) {
  const api = useApi();
  const rename = useWorkspaceChange((name: string) => api.send('PATCH', pathOf(workspace), { name }), {
    done: 'Renamed.',
    onDone: onClose,
  });
  return (
    <RenameDialog
      title={`Rename ${workspace.name}`}
      name={workspace.name}
      pending={rename.isPending}
      error={rename.error}
      onRename={(name) => rename.mutate(name)}
      onClose={onClose}
    />
  );
}

function Buttons(props: { action: string; pending: boolean; onClose: () => void }) {
  return (
    <div className={form.row}>
      <Button variant="default" onClick={props.onClose}>
        Cancel
      </Button>
      <Button type="submit" loading={props.pending}>
        {props.action}
      </Button>
    </div>
  );
}

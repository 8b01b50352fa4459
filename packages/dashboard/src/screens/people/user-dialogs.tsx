import { Button, Modal, Select } from '@mantine/core';
import type { EntryLinkView, UserView } from '@tallygate/contract/api/people';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { rolesQuery } from '../../app/api/queries.ts';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import type { MadeLink } from './people-screen.tsx';
import { usePeopleChange } from './use-people-change.ts';

export type UserDialogKind =
  | 'role'
  | 'password'
  | 'second-factor'
  | 'sessions'
  | 'disable'
  | 'enable'
  | 'remove';

interface Props {
  user: UserView;
  onClose: () => void;
}

const pathOf = (user: UserView): string => `/api/users/${encodeURIComponent(user.id)}`;

/** One question about one user. */
export function UserDialog({
  kind,
  onLink,
  ...props
}: Props & { kind: UserDialogKind; onLink: (made: MadeLink) => void }) {
  if (kind === 'role') return <ChangeRole {...props} />;
  if (kind === 'remove') return <RemoveUser {...props} />;
  if (kind === 'password') return <NewPassword {...props} onLink={onLink} />;
  return <SimpleChange {...props} kind={kind} />;
}

function ChangeRole({ user, onClose }: Props) {
  const api = useApi();
  const roles = (useQuery(rolesQuery(api)).data?.roles ?? []).filter((role) => role.grantable);
  const [role, setRole] = useState(user.role);
  const change = usePeopleChange(() => api.send('PATCH', pathOf(user), { role }), {
    done: 'Role changed. It counts from now on.',
    onDone: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={`Role of ${user.username}`} size={420}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(undefined);
        }}
      >
        <Select
          label="Role"
          data={roles.map((item) => item.name)}
          value={role}
          onChange={(value) => setRole(value ?? role)}
          allowDeselect={false}
        />
        <FormError error={change.error} />
        <Buttons action="Change role" pending={change.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

function RemoveUser({ user, onClose }: Props) {
  const api = useApi();
  const remove = usePeopleChange(() => api.send('DELETE', pathOf(user)), {
    done: 'User removed.',
    onDone: onClose,
  });
  return (
    <ConfirmByName
      title="Remove user"
      name={user.username}
      action="Remove user"
      consequences={
        <p>
          They are signed out everywhere and cannot come back without a new invitation. What they did stays in
          the ledger. To keep somebody out for a while, disable them instead.
        </p>
      }
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    />
  );
}

function NewPassword({ user, onClose, onLink }: Props & { onLink: (made: MadeLink) => void }) {
  const api = useApi();
  const make = usePeopleChange(() => api.send<EntryLinkView>('POST', `${pathOf(user)}/reset-password`), {
    done: null,
    onDone: (link) =>
      onLink({ link, title: 'New password', text: `${user.username} sets a new password with this link.` }),
  });
  return (
    <Question
      title={`New password for ${user.username}`}
      text="You get a one-time link to hand over. The old password works until the link is used; that ends all their sessions."
      action="Make the link"
      change={make}
      onClose={onClose}
    />
  );
}

const SIMPLE = {
  'second-factor': {
    title: 'Remove the second factor of',
    text: 'For a lost phone. Their password alone opens the account until they set up a new one; all their sessions end.',
    action: 'Remove second factor',
    done: 'Second factor removed.',
  },
  sessions: {
    title: 'End all sessions of',
    text: 'They have to sign in again everywhere.',
    action: 'End sessions',
    done: 'Signed out everywhere.',
  },
  disable: {
    title: 'Disable',
    text: 'They are signed out everywhere and not let in again until you enable them.',
    action: 'Disable',
    done: 'User disabled.',
  },
  enable: {
    title: 'Enable',
    text: 'They can sign in again with the password they had.',
    action: 'Enable',
    done: 'User enabled.',
  },
} as const;

function SimpleChange({ user, kind, onClose }: Props & { kind: keyof typeof SIMPLE }) {
  const api = useApi();
  const { title, text, action, done } = SIMPLE[kind];
  const change = usePeopleChange(
    () =>
      kind === 'disable' || kind === 'enable'
        ? api.send('PATCH', pathOf(user), { disabled: kind === 'disable' })
        : api.send('DELETE', `${pathOf(user)}/${kind}`),
    { done, onDone: onClose },
  );
  return (
    <Question
      title={`${title} ${user.username}`}
      text={text}
      action={action}
      change={change}
      onClose={onClose}
    />
  );
}

function Question(props: {
  title: string;
  text: string;
  action: string;
  change: { isPending: boolean; error: unknown; mutate: (input: undefined) => void };
  onClose: () => void;
}) {
  return (
    <Modal opened onClose={props.onClose} title={props.title} size={440}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          props.change.mutate(undefined);
        }}
      >
        <p>{props.text}</p>
        <FormError error={props.change.error} />
        <Buttons action={props.action} pending={props.change.isPending} onClose={props.onClose} />
      </form>
    </Modal>
  );
}

function Buttons(props: { action: string; pending: boolean; onClose: () => void }) {
  return (
    <div className={form.row}>
      <Button variant="default" onClick={props.onClose}>
        Cancel
      </Button>
      <Button type="submit" loading={props.pending} data-autofocus>
        {props.action}
      </Button>
    </div>
  );
}

import { Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { UserView } from '@tallygate/contract/api/people';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { usersQuery } from '../../app/api/queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { plural } from '../../ui/format/count.ts';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { Section, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import type { MadeLink } from './people-screen.tsx';
import { UserDialog, type UserDialogKind } from './user-dialogs.tsx';

type Open = { kind: UserDialogKind; user: UserView } | null;

/** Everybody who can sign in, and whoever is disabled. */
export function Users({ onLink }: { onLink: (made: MadeLink) => void }) {
  const users = useQuery(usersQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  return (
    <Section title="Users">
      {users.isPending && (
        <SectionState>
          <SkeletonLines lines={4} />
        </SectionState>
      )}
      {users.isError && !users.data && (
        <ErrorState error={users.error} onRetry={() => void users.refetch()} />
      )}
      {users.data && (
        <ListTable columns={['Name', 'Role', 'Signs in with', 'Last seen', 'Since']} acts>
          {users.data.users.map((user) => (
            <UserRow key={user.id} user={user} onOpen={(kind) => setOpen({ kind, user })} />
          ))}
        </ListTable>
      )}
      {open !== null && (
        <UserDialog
          kind={open.kind}
          user={open.user}
          onClose={() => setOpen(null)}
          onLink={(made) => {
            setOpen(null);
            onLink(made);
          }}
        />
      )}
    </Section>
  );
}

/** Everything that somebody can sign in with. */
function signInText({ password, app, passkeys, sso, secondFactor }: UserView): string {
  const ways = [
    password && 'password',
    app && 'app',
    passkeys > 0 && plural(passkeys, 'passkey'),
    sso && 'single sign-on',
  ];
  const text = ways.filter((way) => way !== false).join(', ') || 'nothing yet';
  return secondFactor ? text : `${text}; no second factor`;
}

function UserRow({ user, onOpen }: { user: UserView; onOpen: (kind: UserDialogKind) => void }) {
  const disabled = user.disabledAt !== null;
  return (
    <tr data-muted={disabled}>
      <th scope="row" className={list.name}>
        {user.username}
        {disabled && <span className={list.state}>disabled</span>}
      </th>
      <td data-label="Role">{user.role}</td>
      <td data-label="Sign-in">{signInText(user)}</td>
      <td data-label="Last seen">
        {user.lastSeenAt === null ? 'not signed in' : <Ago at={user.lastSeenAt} />}
      </td>
      <td data-label="Since">
        <Ago at={user.createdAt} />
      </td>
      <td className={list.actions}>
        <Menu position="bottom-end" width={220} shadow="md" withinPortal>
          <Menu.Target>
            <button type="button" className={list.more} aria-label={`Actions for ${user.username}`}>
              <IconDots size={18} aria-hidden />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onOpen('role')}>Change role</Menu.Item>
            {!disabled && <Menu.Item onClick={() => onOpen('password')}>Link for a new password</Menu.Item>}
            {user.secondFactor && (
              <Menu.Item onClick={() => onOpen('second-factor')}>Remove second factor</Menu.Item>
            )}
            {user.lastSeenAt !== null && (
              <Menu.Item onClick={() => onOpen('sessions')}>End all sessions</Menu.Item>
            )}
            <Menu.Item onClick={() => onOpen(disabled ? 'enable' : 'disable')}>
              {disabled ? 'Enable' : 'Disable'}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => onOpen('remove')}>
              Remove
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
}

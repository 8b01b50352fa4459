import { type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core';
import { IconLogout, IconSelector, IconShieldLock, IconUserCircle } from '@tabler/icons-react';
import type { OwnWorkspace } from '@tallygate/contract/api/workspaces';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useApi } from '../api/api-context.tsx';
import { meQuery, ownWorkspacesQuery } from '../api/queries.ts';
import { rememberProject } from '../project/remembered-project.ts';
import classes from './user-menu.module.css';

const SCHEMES = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'Like the system' },
] as const;

/** The workspace to look at; nothing to choose from shows nothing. */
function WorkspaceChoice({ workspaces }: { workspaces: readonly OwnWorkspace[] }) {
  const api = useApi();
  const choose = useMutation({
    mutationFn: (workspace: string) => api.send('POST', '/api/auth/workspace', { workspace }),
    // Nothing on screen is of the other workspace: filters, live views and what was loaded begin anew.
    onSuccess: () => {
      rememberProject(null); // it was one of the workspace before
      window.location.assign('/');
    },
  });
  return (
    <>
      <Menu.Label>Workspace</Menu.Label>
      <Menu.RadioGroup
        value={workspaces.find(({ current }) => current)?.id ?? ''}
        onChange={(id) => choose.mutate(id)}
      >
        {workspaces.map(({ id, name }) => (
          <Menu.RadioItem key={id} value={id} disabled={choose.isPending}>
            {name}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
      {choose.isError && (
        <Menu.Label role="alert">Switching did not work. Reload the page and try again.</Menu.Label>
      )}
      <Menu.Divider />
    </>
  );
}

/** Who is signed in, where they look, the theme, and the way out. */
export function UserMenu() {
  const api = useApi();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const me = useQuery(meQuery(api));
  // Without keepTransitions the library injects a style element, which the policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const signOut = useMutation({
    mutationFn: () => api.send('POST', '/api/auth/logout'),
    onSettled: () => {
      rememberProject(null);
      api.forgetCsrf();
      queryClient.clear();
      return navigate({ to: '/login', search: {} });
    },
  });
  const name = me.data?.user.username ?? '…';
  const workspaces = useQuery(ownWorkspacesQuery(api)).data?.workspaces ?? [];
  const several = workspaces.length > 1;
  const place = several ? workspaces.find(({ current }) => current)?.name : undefined;
  return (
    <Menu position="top-start" width={204} shadow="md" withinPortal>
      <Menu.Target>
        <button
          type="button"
          className={classes.button}
          aria-label={`Account menu of ${name}${place === undefined ? '' : `, workspace ${place}`}`}
        >
          <IconUserCircle size={20} stroke={1.6} aria-hidden />
          <span className={classes.name}>
            {name}
            {place !== undefined && <span className={classes.place}>{place}</span>}
          </span>
          <IconSelector size={15} aria-hidden className={classes.chevron} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {several && <WorkspaceChoice workspaces={workspaces} />}
        <Menu.Label>Theme</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(value as MantineColorScheme)}
        >
          {SCHEMES.map(({ value, label }) => (
            <Menu.RadioItem key={value} value={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component={Link} to="/my-security" leftSection={<IconShieldLock size={16} aria-hidden />}>
          My security
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

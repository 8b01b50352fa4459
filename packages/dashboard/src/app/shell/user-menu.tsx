import { type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core';
import { IconLogout, IconSelector, IconShieldLock, IconUserCircle } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useApi } from '../api/api-context.tsx';
import { meQuery } from '../api/queries.ts';
import classes from './user-menu.module.css';

const SCHEMES = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'Like the system' },
] as const;

/** Who is signed in, the theme, and the way out. */
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
      api.forgetCsrf();
      queryClient.clear();
      return navigate({ to: '/login', search: {} });
    },
  });
  const name = me.data?.user.username ?? '…';
  return (
    <Menu position="top-start" width={204} shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className={classes.button} aria-label={`Account menu of ${name}`}>
          <IconUserCircle size={20} stroke={1.6} aria-hidden />
          <span className={classes.name}>{name}</span>
          <IconSelector size={15} aria-hidden className={classes.chevron} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
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
        <Menu.Item component={Link} to="/security" leftSection={<IconShieldLock size={16} aria-hidden />}>
          My security
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

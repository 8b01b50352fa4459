import { Menu } from '@mantine/core';
import {
  IconBell,
  IconChartHistogram,
  IconDots,
  IconGauge,
  IconKey,
  IconList,
  IconPlugConnected,
  IconShieldLock,
  IconUsers,
} from '@tabler/icons-react';
import { Link, useLocation, useSearch } from '@tanstack/react-router';
import { useMay } from '../api/use-may.ts';
import { keptSearch } from '../url/view-search.ts';
import classes from './nav.module.css';

const PLACES = [
  { to: '/', label: 'Overview', icon: IconChartHistogram, needs: 'usage.view' },
  { to: '/requests', label: 'Requests', icon: IconList, needs: 'logs.view' },
  { to: '/budgets', label: 'Budgets', icon: IconGauge, needs: 'budgets.view' },
  { to: '/keys', label: 'Keys', icon: IconKey, needs: 'keys.manage' },
  { to: '/accounts', label: 'Accounts', icon: IconPlugConnected, needs: 'accounts.manage' },
  { to: '/alerts', label: 'Alerts', icon: IconBell, needs: 'alerts.view' },
  { to: '/people', label: 'People', icon: IconUsers, needs: 'users.manage' },
  { to: '/security', label: 'Security', icon: IconShieldLock, needs: 'audit.view' },
] as const;

/** The places that this person may go to. */
export function usePlaces() {
  const may = useMay();
  return PLACES.filter(({ needs }) => may(needs));
}

/** More do not fit the width of a phone; the rest stands in a menu there. */
const ON_A_PHONE = 4;

/** Overview and Requests ask about the same range and filters, so a move between them keeps both; the project goes along everywhere. */
export function Nav({ className }: { className?: string | undefined }) {
  const search = useSearch({ strict: false });
  const places = usePlaces();
  const later = places.length > ON_A_PHONE + 1 ? places.slice(ON_A_PHONE) : [];
  return (
    <nav className={className} aria-label="Main">
      <ul className={classes.list}>
        {places.map(({ to, label, icon: Icon }, index) => (
          <li key={to} className={later.length > 0 && index >= ON_A_PHONE ? classes.later : undefined}>
            <Link
              to={to}
              search={keptSearch(to, search)}
              className={classes.item}
              activeOptions={{ exact: to === '/', includeSearch: false }}
              activeProps={{ 'aria-current': 'page' }}
            >
              <Icon size={19} stroke={1.7} aria-hidden />
              <span>{label}</span>
            </Link>
          </li>
        ))}
        {later.length > 0 && (
          <li className={classes.more}>
            <LaterPlaces places={later} />
          </li>
        )}
      </ul>
    </nav>
  );
}

function LaterPlaces({ places }: { places: ReturnType<typeof usePlaces> }) {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const search = useSearch({ strict: false });
  const here = places.some(({ to }) => path.startsWith(to));
  return (
    <Menu position="top-end" width={190} shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className={classes.item} aria-current={here ? 'true' : undefined}>
          <IconDots size={19} stroke={1.7} aria-hidden />
          <span>More</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {places.map(({ to, label, icon: Icon }) => (
          <Menu.Item
            key={to}
            renderRoot={(props) => <Link {...props} to={to} search={keptSearch(to, search)} />}
            leftSection={<Icon size={17} aria-hidden />}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

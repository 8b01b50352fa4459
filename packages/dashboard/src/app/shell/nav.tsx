import {
  IconBell,
  IconChartHistogram,
  IconGauge,
  IconKey,
  IconList,
  IconPlugConnected,
  IconShieldLock,
  IconUsers,
} from '@tabler/icons-react';
import { Link, useSearch } from '@tanstack/react-router';
import { useMay } from '../api/use-may.ts';
import { parseViewSearch } from '../url/view-search.ts';
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

/** Overview and Requests ask about the same range and filters, so a move between them keeps both. */
export function Nav({ className }: { className?: string | undefined }) {
  const search = useSearch({ strict: false });
  const kept = parseViewSearch(search);
  const places = usePlaces();
  return (
    <nav className={className} aria-label="Main">
      <ul className={classes.list}>
        {places.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              search={to === '/' || to === '/requests' ? kept : {}}
              className={classes.item}
              activeOptions={{ exact: to === '/', includeSearch: false }}
              activeProps={{ 'aria-current': 'page' }}
            >
              <Icon size={19} stroke={1.7} aria-hidden />
              <span>{label}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

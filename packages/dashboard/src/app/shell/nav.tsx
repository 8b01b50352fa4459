import {
  IconChartHistogram,
  IconKey,
  IconList,
  IconPlugConnected,
  IconShieldLock,
} from '@tabler/icons-react';
import { Link, useSearch } from '@tanstack/react-router';
import { parseViewSearch } from '../url/view-search.ts';
import classes from './nav.module.css';

export const PLACES = [
  { to: '/', label: 'Overview', icon: IconChartHistogram },
  { to: '/requests', label: 'Requests', icon: IconList },
  { to: '/keys', label: 'Keys', icon: IconKey },
  { to: '/accounts', label: 'Accounts', icon: IconPlugConnected },
  { to: '/security', label: 'Security', icon: IconShieldLock },
] as const;

/** Overview and Requests ask about the same range and filters, so a move between them keeps both. */
export function Nav({ className }: { className?: string | undefined }) {
  const search = useSearch({ strict: false });
  const kept = parseViewSearch(search);
  return (
    <nav className={className} aria-label="Main">
      <ul className={classes.list}>
        {PLACES.map(({ to, label, icon: Icon }) => (
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

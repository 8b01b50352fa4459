import { Link } from '@tanstack/react-router';
import classes from './section-tabs.module.css';

const TABS = [
  { to: '/security', label: 'Findings' },
  { to: '/audit', label: 'Audit' },
  { to: '/incident', label: 'Incident' },
] as const;

/** The three screens behind the one place "Security". */
export function SecurityTabs() {
  return (
    <nav className={classes.tabs} aria-label="Security">
      {TABS.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          className={classes.tab}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ 'aria-current': 'page' }}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

import { Link } from '@tanstack/react-router';
import classes from './section-tabs.module.css';

const SECURITY = [
  { to: '/security', label: 'Findings' },
  { to: '/audit', label: 'Audit' },
  { to: '/incident', label: 'Incident' },
] as const;
const MONEY = [
  { to: '/budgets', label: 'Budgets' },
  { to: '/limits', label: 'Limits' },
] as const;

function Tabs(props: { label: string; tabs: typeof SECURITY | typeof MONEY }) {
  return (
    <nav className={classes.tabs} aria-label={props.label}>
      {props.tabs.map(({ to, label }) => (
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

/** The three screens behind the one place "Security". */
export function SecurityTabs() {
  return <Tabs label="Security" tabs={SECURITY} />;
}

/** The two screens behind the one place "Budgets". */
export function MoneyTabs() {
  return <Tabs label="Budgets and limits" tabs={MONEY} />;
}

import { Link } from '@tanstack/react-router';
import classes from './section-tabs.module.css';

const SECURITY = [
  { to: '/security', label: 'Findings' },
  { to: '/audit', label: 'Audit' },
  { to: '/incident', label: 'Incident' },
] as const;
const UPSTREAMS = [
  { to: '/accounts', label: 'Accounts' },
  { to: '/pools', label: 'Pools' },
  { to: '/rules', label: 'Rules' },
] as const;

function Tabs({ label, tabs }: { label: string; tabs: typeof SECURITY | typeof UPSTREAMS }) {
  return (
    <nav className={classes.tabs} aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.to}
          to={tab.to}
          className={classes.tab}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ 'aria-current': 'page' }}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}

/** The three screens behind the one place "Security". */
export function SecurityTabs() {
  return <Tabs label="Security" tabs={SECURITY} />;
}

/** The three screens behind the one place "Accounts": who serves, who takes turns, what goes where. */
export function UpstreamTabs() {
  return <Tabs label="Accounts" tabs={UPSTREAMS} />;
}

import { Link, type LinkProps } from '@tanstack/react-router';
import classes from './section-tabs.module.css';

const UPSTREAM_TABS = [
  { to: '/accounts', label: 'Accounts' },
  { to: '/pools', label: 'Pools' },
  { to: '/rules', label: 'Rules' },
] as const;

const KEY_TABS = [
  { to: '/keys', label: 'Keys' },
  { to: '/projects', label: 'Projects' },
] as const;

interface Tab {
  to: NonNullable<LinkProps['to']>;
  label: string;
}

/** The project that is looked at goes along. */
const keepProject = ({ project }: { project?: string[] | undefined }) =>
  project === undefined ? {} : { project };

/** Links to the screens behind one place. */
export function SectionTabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <nav className={classes.tabs} aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.to}
          to={tab.to}
          search={keepProject}
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

/** The three screens behind the one place "Accounts": who serves, who takes turns, what goes where. */
export function UpstreamTabs() {
  return <SectionTabs label="Accounts" tabs={UPSTREAM_TABS} />;
}

const MONEY_TABS = [
  { to: '/budgets', label: 'Budgets' },
  { to: '/limits', label: 'Limits' },
] as const;

/** The two screens behind the one place "Budgets". */
export function MoneyTabs() {
  return <SectionTabs label="Budgets and limits" tabs={MONEY_TABS} />;
}

/** Keys, and the projects they belong to, for whoever may see both. */
export function KeyTabs() {
  return <SectionTabs label="Keys and projects" tabs={KEY_TABS} />;
}

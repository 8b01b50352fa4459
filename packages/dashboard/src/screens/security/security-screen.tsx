import type { SecurityKind, SecurityOverview } from '@tallygate/contract/api/security';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { securityQuery } from '../../app/api/security-queries.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { formatClock, formatShort } from '../../ui/format/time.ts';
import list from '../../ui/list-table.module.css';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import classes from './security-screen.module.css';

const SHOWN: readonly [SecurityKind, string][] = [
  ['login_failed', 'Failed sign-ins'],
  ['unauthorized', 'Wrong keys'],
  ['forbidden', 'Not allowed'],
  ['csrf_refused', 'Forged'],
  ['throttled', 'Too frequent'],
  ['new_key_address', 'New addresses'],
  ['egress_blocked', 'Blocked upstreams'],
  ['csp_report', 'Policy reports'],
];

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={panel.panel}>
      <div className={panel.head}>
        <h2>{title}</h2>
      </div>
      {children}
    </section>
  );
}

function Findings({ findings }: Pick<SecurityOverview, 'findings'>) {
  if (findings.length === 0) return <p className={classes.calm}>Nothing asks for attention.</p>;
  return (
    <ul className={classes.findings}>
      {findings.map(({ rule, severity, message, advice }) => (
        <li key={`${rule} ${message}`} className={classes.finding} data-severity={severity}>
          <p>
            <b>{severity === 'critical' ? 'Critical: ' : ''}</b>
            {message}
          </p>
          <p className={classes.advice}>{advice}</p>
        </li>
      ))}
    </ul>
  );
}

interface CountRow {
  name: ReactNode;
  key: string;
  counts: Readonly<Record<SecurityKind, number>>;
  last?: string;
}

/** Only the kinds that occurred get a column: most days there are two. */
function CountTable({ rows, label }: { rows: CountRow[]; label: string }) {
  const kinds = SHOWN.filter(([kind]) => rows.some((row) => row.counts[kind] > 0));
  if (kinds.length === 0) return <p className={classes.calm}>Nothing in the last 24 hours.</p>;
  return (
    <div className={classes.scroll}>
      <table className={list.table}>
        <thead>
          <tr>
            <th scope="col">{label}</th>
            {kinds.map(([kind, text]) => (
              <th key={kind} scope="col">
                {text}
              </th>
            ))}
            {rows.some((row) => row.last !== undefined) && <th scope="col">Last</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row" className={list.name}>
                {row.name}
              </th>
              {kinds.map(([kind, text]) => (
                <td key={kind} data-label={text}>
                  {row.counts[kind]}
                </td>
              ))}
              {row.last !== undefined && (
                <td data-label="Last">
                  <Ago at={row.last} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const named = (rows: SecurityOverview['addresses']): CountRow[] =>
  rows.map(({ name, lastDay, lastAt }) => ({
    name: <code>{name}</code>,
    key: name,
    counts: lastDay,
    last: lastAt,
  }));

function Reports({ cspReports }: Pick<SecurityOverview, 'cspReports'>) {
  if (cspReports.length === 0) return null;
  return (
    <Panel title="What browsers reported">
      <div className={classes.scroll}>
        <table className={list.table}>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Rule</th>
              <th scope="col">Kept out</th>
              <th scope="col">Page</th>
            </tr>
          </thead>
          <tbody>
            {cspReports.map((report, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: equal reports have nothing that tells them apart
              <tr key={index}>
                <th scope="row" className={list.name}>
                  <Ago at={report.at} />
                </th>
                <td data-label="Rule">{report.directive}</td>
                <td data-label="Kept out">{report.blocked || '–'}</td>
                <td data-label="Page">{report.page || '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Overview({ data }: { data: SecurityOverview }) {
  const busy = data.hours.filter(({ counts }) => SHOWN.some(([kind]) => counts[kind] > 0)).reverse();
  const hours = busy.map(({ start, counts }) => ({
    name: `${formatShort(Date.parse(start))}`,
    key: start,
    counts,
  }));
  return (
    <div className={classes.stack}>
      <Panel title="Findings">
        <Findings findings={data.findings} />
      </Panel>
      <Panel title="By address, last 24 hours">
        <CountTable rows={named(data.addresses)} label="Address" />
      </Panel>
      <Panel title="By key, last 24 hours">
        <CountTable rows={named(data.keyPrefixes)} label="Key begins with" />
      </Panel>
      <Panel title="By hour">
        <CountTable rows={hours} label="From" />
      </Panel>
      <Reports cspReports={data.cspReports} />
      <p className={classes.calm}>
        Counted since {formatShort(Date.parse(data.since))} ({formatClock(Date.parse(data.since))}), when the
        server started. What must last is in the audit log.
      </p>
    </div>
  );
}

/** What may be an attack, in plain words first, then in figures. */
export function SecurityScreen() {
  useTitle('Security');
  const query = useQuery(securityQuery(useApi()));
  return (
    <>
      <PageHeader title="Security" />
      <SecurityTabs />
      {query.isPending && (
        <div className={`${panel.panel} ${classes.state}`} aria-busy="true">
          <span className="sr-only">Loading the counters</span>
          <SkeletonLines lines={8} />
        </div>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && <Overview data={query.data} />}
    </>
  );
}

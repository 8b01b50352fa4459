import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { breakdownQuery, type Scope } from '../../app/api/queries.ts';
import type { Split } from '../../app/url/view-search.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { Count, Money } from '../../ui/figures.tsx';
import { formatPercent } from '../../ui/format/count.ts';
import { Mark } from '../../ui/mark.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './ranked-table.module.css';

const SHORT = 7;
const LONG = 100;

interface Props {
  scope: Scope;
  group: Split;
  title: string;
  onPick: (group: Split, key: string) => void;
}

/** Who spent most: a bar each, sorted by spend. A click narrows the whole page to that one. */
export function RankedTable({ scope, group, title, onPick }: Props) {
  const [long, setLong] = useState(false);
  const query = useQuery(breakdownQuery(useApi(), scope, group, long ? LONG : SHORT + 1));
  const all = query.data?.rows ?? [];
  const rows = long ? all : all.slice(0, SHORT);
  const top = Math.max(...rows.map((row) => Number(row.costUsd)), 0);
  const sum = all.reduce((total, row) => total + Number(row.costUsd), 0);
  return (
    <section className={`${panel.panel} ${classes.panel}`} aria-label={title}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <h2>{title}</h2>
            </th>
            <th scope="col">Requests</th>
            <th scope="col">Tokens</th>
            <th scope="col">Spend</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className={classes.row}>
              <th scope="row">
                <span
                  className={classes.bar}
                  style={{ width: `${top > 0 ? (Number(row.costUsd) / top) * 100 : 0}%` }}
                />
                <button
                  type="button"
                  className={classes.name}
                  disabled={row.key === ''}
                  onClick={() => onPick(group, row.key)}
                  title={`Show only ${row.label || 'these'} · ${formatPercent(sum > 0 ? Number(row.costUsd) / sum : 0)} of the spend listed`}
                >
                  {row.label || 'no answer'}
                </button>
              </th>
              <td>
                <Count value={row.requests} />
              </td>
              <td>
                <Count value={row.totalTokens} />
              </td>
              <td className={classes.spend}>
                {row.unpricedRequests > 0 && Number(row.costUsd) === 0 ? (
                  <Mark kind="unpriced" />
                ) : (
                  <Money usd={row.costUsd} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {query.isPending && (
        <div className={classes.state} aria-busy="true">
          <SkeletonLines lines={5} />
        </div>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && rows.length === 0 && <p className={classes.state}>Nothing in this range.</p>}
      {(long || all.length > SHORT) && (
        <button type="button" className={classes.more} onClick={() => setLong(!long)}>
          {long ? 'Show fewer' : 'Show all'}
        </button>
      )}
    </section>
  );
}

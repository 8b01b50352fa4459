import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { PoolStrategy, PoolView } from '@tallygate/contract/api/pool';
import type { NamedPoolView, PoolListView, PoolWeekView } from '@tallygate/contract/api/pools';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { poolsQuery } from '../../app/api/pool-queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Count, Money } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { UpstreamTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { PoolForm } from './pool-form.tsx';
import classes from './pools-screen.module.css';
import { STRATEGY_WORDS, StrategyChoice } from './strategy-choice.tsx';

type Open = { kind: 'add' } | { kind: 'edit' | 'remove'; pool: NamedPoolView } | null;

/** Which accounts take turns, how, and what that cost. */
export function PoolsScreen() {
  useTitle('Pools');
  const pools = useQuery(poolsQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  return (
    <>
      <PageHeader title="Pools">
        <Button
          size="sm"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setOpen({ kind: 'add' })}
        >
          Make a pool
        </Button>
      </PageHeader>
      <UpstreamTabs />
      <p className={classes.note}>
        Requests are served by the pool of all accounts, unless a rule sends them to a pool of your own.
        Figures are those of the last seven days.
      </p>
      <div className={panel.panel}>
        {pools.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the pools</span>
            <SkeletonLines lines={4} />
          </div>
        )}
        {pools.isError && !pools.data && (
          <ErrorState error={pools.error} onRetry={() => void pools.refetch()} />
        )}
        {pools.data && <PoolTable view={pools.data} onOpen={setOpen} />}
      </div>
      {open?.kind === 'add' && <PoolForm pool={null} onClose={close} />}
      {open?.kind === 'edit' && <PoolForm pool={open.pool} onClose={close} />}
      {open?.kind === 'remove' && <RemovePool pool={open.pool} onClose={close} />}
    </>
  );
}

function useStrategy(path: string, what: string) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: (strategy: PoolStrategy) => api.send<PoolView | NamedPoolView>('PATCH', path, { strategy }),
    onSuccess: async ({ strategy }) => {
      announce(`${what}: ${STRATEGY_WORDS[strategy].toLowerCase()}, from the next request on.`);
      await queryClient.invalidateQueries({ queryKey: ['pools'] });
    },
    onError: (error) => announce(error.message, 'bad'),
  });
}

function PoolTable({ view, onOpen }: { view: PoolListView; onOpen: (open: Open) => void }) {
  return (
    <ListTable
      columns={[
        'Pool',
        'Accounts are chosen',
        'Accounts',
        'Attempts',
        'Served',
        'Sessions moved',
        'Cache lost',
      ]}
      acts
    >
      <PoolRow name="All accounts" path="/api/pool" strategy={view.all.strategy} week={view.all.week}>
        every account
      </PoolRow>
      {view.pools.map((pool) => (
        <PoolRow
          key={pool.id}
          name={pool.name}
          path={`/api/pools/${encodeURIComponent(pool.id)}`}
          strategy={pool.strategy}
          week={pool.week}
          actions={
            <>
              <Button size="xs" variant="default" onClick={() => onOpen({ kind: 'edit', pool })}>
                Edit<span className="sr-only"> {pool.name}</span>
              </Button>
              <Button size="xs" variant="default" onClick={() => onOpen({ kind: 'remove', pool })}>
                Remove<span className="sr-only"> {pool.name}</span>
              </Button>
            </>
          }
        >
          {pool.accounts.length === 0 ? 'none' : pool.accounts.map(({ name }) => name).join(', ')}
        </PoolRow>
      ))}
    </ListTable>
  );
}

function PoolRow(props: {
  name: string;
  path: string;
  strategy: PoolStrategy;
  week: PoolWeekView;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { name, path, strategy, week, actions, children } = props;
  const choose = useStrategy(path, name);
  return (
    <tr>
      <th scope="row" className={list.name}>
        {name}
      </th>
      <td data-label="Chosen">
        <StrategyChoice
          label={`How accounts of ${name} are chosen`}
          value={strategy}
          disabled={choose.isPending}
          onChange={(wanted) => choose.mutate(wanted)}
        />
      </td>
      <td data-label="Accounts">{children}</td>
      <td data-label="Attempts" className={classes.number}>
        <Count value={week.attempts} what="attempts" />
      </td>
      <td data-label="Served" className={classes.number}>
        <Count value={week.served} what="served attempts" />
      </td>
      <td data-label="Sessions moved" className={classes.number}>
        <Count value={week.sessionsMoved} what="moved sessions" />
      </td>
      <td data-label="Cache lost" className={classes.number}>
        <Money usd={week.cacheLossUsd} />
      </td>
      <td className={`${list.actions} ${list.below}`}>
        <span className={list.buttons}>{actions}</span>
      </td>
    </tr>
  );
}

function RemovePool({ pool, onClose }: { pool: NamedPoolView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/pools/${encodeURIComponent(pool.id)}`),
    onSuccess: async () => {
      onClose();
      announce('Pool removed. Its accounts stay.');
      await queryClient.invalidateQueries({ queryKey: ['pools'] });
    },
  });
  return (
    <ConfirmByName
      title="Remove pool"
      name={pool.name}
      action="Remove pool"
      consequences={<p>Its accounts stay and go on serving. A pool that a rule names cannot be removed.</p>}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}

import { Button, Modal } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { budgetsQuery } from '../../app/api/money-queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { OthersNote } from '../../app/project/others-note.tsx';
import { useProjectView } from '../../app/project/use-project-view.ts';
import type { ProjectSearch } from '../../app/url/project.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ListPanel } from '../../ui/list-panel.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { MoneyTabs } from '../../ui/section-tabs.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { ChangeBudget, RemoveBudget } from './budget-acts.tsx';
import { BudgetDetail } from './budget-detail.tsx';
import { BudgetForm } from './budget-form.tsx';
import { BudgetList } from './budget-list.tsx';
import classes from './budgets.module.css';

type Open = { kind: 'create' } | { kind: 'change' | 'remove'; budget: BudgetView } | null;

const FIRST = 'tallygate budgets create --scope workspace --limit-usd 50 --window month';

/** What may be spent, how full each budget is, and what becomes of it at this pace. */
export function BudgetsScreen() {
  useTitle('Budgets');
  const budgets = useQuery(budgetsQuery(useApi()));
  const mayChange = useMay()('budgets.manage');
  const [open, setOpen] = useState<Open>(null);
  const { budget: shownId } = useSearch({ from: '/shell/budgets' });
  const navigate = useNavigate();
  const close = (): void => setOpen(null);
  const list = budgets.data?.budgets ?? [];
  const view = useProjectView();
  const seen = list.filter(({ scope }) => view.covers(scope));
  const shown = list.find(({ id }) => id === shownId);
  const show = (budget?: string): void =>
    void navigate({
      to: '/budgets',
      search: ({ project }: ProjectSearch) => ({
        ...(project === undefined ? {} : { project }),
        ...(budget === undefined ? {} : { budget }),
      }),
      resetScroll: false,
    });
  const button = (label: string) => (
    <Button
      size="sm"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setOpen({ kind: 'create' })}
    >
      {label}
    </Button>
  );
  return (
    <>
      <PageHeader title="Budgets">{mayChange && button('Create budget')}</PageHeader>
      <MoneyTabs />
      <ListPanel
        query={budgets}
        what="budgets"
        isEmpty={list.length === 0}
        empty={
          <EmptyState
            title="No budgets yet"
            text="A budget keeps back the most a request can come to before it is sent, so it cannot be overshot. Without one nothing is limited."
            action={
              <div className={classes.snippet}>
                <CodeBlock code={FIRST} label="the first budget" />
              </div>
            }
          />
        }
      >
        {seen.length > 0 && (
          <BudgetList
            budgets={seen}
            mayChange={mayChange}
            onShow={({ id }) => show(id)}
            onChange={(budget) => setOpen({ kind: 'change', budget })}
            onRemove={(budget) => setOpen({ kind: 'remove', budget })}
          />
        )}
        <OthersNote all={list.length} shown={seen.length} what="budget" />
      </ListPanel>
      <Modal opened={open?.kind === 'create'} onClose={close} title="Create budget" size={560}>
        <BudgetForm onDone={close} onCancel={close} />
      </Modal>
      {shown !== undefined && <BudgetDetail budget={shown} onClose={() => show()} />}
      {open?.kind === 'change' && <ChangeBudget budget={open.budget} onClose={close} />}
      {open?.kind === 'remove' && <RemoveBudget budget={open.budget} onClose={close} />}
    </>
  );
}

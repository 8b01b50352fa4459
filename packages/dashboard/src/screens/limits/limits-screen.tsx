import { Button, Modal } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { LimitView } from '@tallygate/contract/api/limits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { limitsQuery } from '../../app/api/money-queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { OthersNote } from '../../app/project/others-note.tsx';
import { useProjectView } from '../../app/project/use-project-view.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ListPanel } from '../../ui/list-panel.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { MoneyTabs } from '../../ui/section-tabs.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { ChangeLimit, RemoveLimit } from './limit-acts.tsx';
import { LimitForm } from './limit-form.tsx';
import { LimitTable } from './limit-table.tsx';
import classes from './limits.module.css';

type Open = { kind: 'create' } | { kind: 'change' | 'remove'; limit: LimitView } | null;

const FIRST = 'tallygate limits create --requests 60 --window minute --burst 10 --per key';

/** How often, how much and how many at once, and who is close to it. */
export function LimitsScreen() {
  useTitle('Limits');
  const limits = useQuery(limitsQuery(useApi()));
  const mayChange = useMay()('budgets.manage');
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const view = useProjectView();
  const list = limits.data?.limits ?? [];
  const seen = list.filter(({ scope }) => view.covers(scope));
  return (
    <>
      <PageHeader title="Limits">
        {mayChange && (
          <Button
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setOpen({ kind: 'create' })}
          >
            Create limit
          </Button>
        )}
      </PageHeader>
      <MoneyTabs />
      <ListPanel
        query={limits}
        what="limits"
        lines={4}
        isEmpty={list.length === 0}
        empty={
          <EmptyState
            title="No limits yet"
            text="A limit bounds how often, how much or how many at once, for everybody together or for each key, user, address and so on. What is over it is answered with 429 and the time to wait."
            action={
              <div className={classes.snippet}>
                <CodeBlock code={FIRST} label="the first limit" />
              </div>
            }
          />
        }
      >
        {seen.length > 0 && (
          <LimitTable
            limits={seen}
            mayChange={mayChange}
            onChange={(limit) => setOpen({ kind: 'change', limit })}
            onRemove={(limit) => setOpen({ kind: 'remove', limit })}
          />
        )}
        <OthersNote all={list.length} shown={seen.length} what="limit" />
      </ListPanel>
      <Modal opened={open?.kind === 'create'} onClose={close} title="Create limit" size={520}>
        <LimitForm onDone={close} onCancel={close} />
      </Modal>
      {open?.kind === 'change' && <ChangeLimit limit={open.limit} onClose={close} />}
      {open?.kind === 'remove' && <RemoveLimit limit={open.limit} onClose={close} />}
    </>
  );
}

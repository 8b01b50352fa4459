import { Button, Modal } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { LimitView } from '@tallygate/contract/api/limits';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { limitsQuery } from '../../app/api/money-queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SectionState } from '../../ui/section.tsx';
import { MoneyTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { LimitForm } from './limit-form.tsx';
import { LimitTable } from './limit-table.tsx';
import { limitText } from './limit-text.ts';
import classes from './limits.module.css';

const FIRST = 'tallygate limits create --requests 60 --window minute --burst 10 --per key';

/** How often, how much and how many at once, and who is close to it. */
export function LimitsScreen() {
  useTitle('Limits');
  const limits = useQuery(limitsQuery(useApi()));
  const mayChange = useMay()('budgets.manage');
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState<LimitView | null>(null);
  const close = (): void => setCreating(false);
  const list = limits.data?.limits ?? [];
  return (
    <>
      <PageHeader title="Limits">
        {mayChange && (
          <Button
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setCreating(true)}
          >
            Create limit
          </Button>
        )}
      </PageHeader>
      <MoneyTabs />
      <div className={panel.panel}>
        {limits.isPending && (
          <SectionState>
            <span className="sr-only" aria-busy="true">
              Loading the limits
            </span>
            <SkeletonLines lines={4} />
          </SectionState>
        )}
        {limits.isError && !limits.data && (
          <ErrorState error={limits.error} onRetry={() => void limits.refetch()} />
        )}
        {limits.data && list.length === 0 && (
          <EmptyState
            title="No limits yet"
            text="A limit bounds how often, how much or how many at once, for everybody together or for each key, user, address and so on. What is over it is answered with 429 and the time to wait."
            action={
              <div className={classes.snippet}>
                <CodeBlock code={FIRST} label="the first limit" />
              </div>
            }
          />
        )}
        {list.length > 0 && <LimitTable limits={list} mayChange={mayChange} onRemove={setRemoving} />}
      </div>
      <Modal opened={creating} onClose={close} title="Create limit" size={520}>
        <LimitForm onDone={close} onCancel={close} />
      </Modal>
      {removing !== null && <RemoveLimit limit={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

function RemoveLimit({ limit, onClose }: { limit: LimitView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/limits/${encodeURIComponent(limit.id)}`),
    onSuccess: async () => {
      onClose();
      announce('Limit removed. Nothing is held up by it from now on.');
      await queryClient.invalidateQueries({ queryKey: ['limits'] });
    },
  });
  return (
    <ConfirmByName
      title="Remove limit"
      name={limit.name}
      action="Remove limit"
      consequences={
        <p>
          {limitText(limit)}: nothing is held up by it any more, from the next request on. What it counted is
          forgotten.
        </p>
      }
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}

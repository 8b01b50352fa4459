import { NativeSelect } from '@mantine/core';
import type { PoolStrategy, PoolView } from '@tallygate/contract/api/pool';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { poolQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';

const WORDS: Readonly<Record<PoolStrategy, string>> = {
  session: 'Sessions stay together',
  priority: 'First that works',
  weighted: 'By weight',
  'round-robin': 'In turn',
  'least-used': 'Least used',
  'lowest-latency': 'Fastest',
  'drain-soonest-reset': 'Use up before reset',
};
const OPTIONS = Object.entries(WORDS).map(([value, label]) => ({ value, label }));

/** How an account is chosen among equals; takes effect with the next request. */
export function StrategyChoice() {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const pool = useQuery(poolQuery(api));
  const choose = useMutation({
    mutationFn: (strategy: PoolStrategy) => api.send<PoolView>('PATCH', '/api/pool', { strategy }),
    onSuccess: (view) => {
      queryClient.setQueryData(poolQuery(api).queryKey, view);
      announce(`Accounts are chosen anew: ${WORDS[view.strategy].toLowerCase()}.`);
    },
    onError: (error) => announce(error.message, 'bad'),
  });
  if (!pool.data) return null;
  return (
    <NativeSelect
      size="sm"
      aria-label="How accounts are chosen"
      data={OPTIONS}
      value={pool.data.strategy}
      disabled={choose.isPending}
      onChange={(event) => choose.mutate(event.currentTarget.value as PoolStrategy)}
    />
  );
}

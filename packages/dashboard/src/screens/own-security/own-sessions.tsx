import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { ownSessionsQuery } from '../../app/api/queries.ts';
import { SessionTable } from '../../app/manage/session-table.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Section, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';

/** Where one is signed in, and a way to end each. */
export function OwnSessions() {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const sessions = useQuery(ownSessionsQuery(api));
  const end = useMutation({
    mutationFn: (id: string | null) =>
      id === null
        ? api.send('POST', '/api/auth/sessions/end-others')
        : api.send('DELETE', `/api/auth/sessions/${encodeURIComponent(id)}`),
    onSuccess: async () => {
      announce('Signed out there.');
      await queryClient.invalidateQueries({ queryKey: ['own', 'sessions'] });
    },
  });
  const all = sessions.data?.sessions ?? [];
  return (
    <Section
      title="Sessions"
      tools={
        all.length > 1 && (
          <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate(null)}>
            End all others
          </Button>
        )
      }
    >
      {sessions.isPending && (
        <SectionState>
          <SkeletonLines lines={3} />
        </SectionState>
      )}
      {sessions.isError && <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {end.isError && <FormError error={end.error} />}
      {all.length > 0 && <SessionTable sessions={all} named={false} onEnd={(id) => end.mutate(id)} />}
    </Section>
  );
}

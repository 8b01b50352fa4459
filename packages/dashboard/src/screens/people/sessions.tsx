import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { sessionsQuery } from '../../app/api/queries.ts';
import { SessionTable } from '../../app/manage/session-table.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { usePeopleChange } from './use-people-change.ts';

/** Who is signed in where, and by what; each can be ended. */
export function Sessions() {
  const api = useApi();
  const sessions = useQuery(sessionsQuery(api));
  const end = usePeopleChange((id: string) => api.send('DELETE', `/api/sessions/${encodeURIComponent(id)}`), {
    done: 'Signed out there.',
  });
  const rows = sessions.data?.sessions ?? [];
  return (
    <Section title="Sessions">
      {sessions.isPending && (
        <SectionState>
          <SkeletonLines lines={3} />
        </SectionState>
      )}
      {sessions.isError && !sessions.data && (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {end.isError && <FormError error={end.error} />}
      {sessions.data && rows.length === 0 && (
        <SectionBody>
          <p>Nobody is signed in.</p>
        </SectionBody>
      )}
      {rows.length > 0 && <SessionTable sessions={rows} named onEnd={(id) => end.mutate(id)} />}
    </Section>
  );
}

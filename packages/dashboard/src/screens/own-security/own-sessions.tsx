import { Button } from '@mantine/core';
import type { SessionView } from '@tallygate/contract/api/auth';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { ownSessionsQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { browserName } from '../../ui/browser-name.ts';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { Section, SectionState } from '../../ui/section.tsx';
import { methodText } from '../../ui/sign-in-method.ts';
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
      {all.length > 0 && <SessionTable sessions={all} onEnd={(id) => end.mutate(id)} />}
    </Section>
  );
}

function SessionTable({ sessions, onEnd }: { sessions: SessionView[]; onEnd: (id: string) => void }) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          <th scope="col">Browser</th>
          <th scope="col">Signed in by</th>
          <th scope="col">Address</th>
          <th scope="col">Last used</th>
          <th scope="col">Since</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <tr key={session.id}>
            <th scope="row" className={list.name}>
              {browserName(session.userAgent)}
              {session.current && <span className={list.state}>this one</span>}
            </th>
            <td data-label="By">{methodText(session.method)}</td>
            <td data-label="Address">{session.address ?? 'unknown'}</td>
            <td data-label="Last used">
              <Ago at={session.lastSeenAt} />
            </td>
            <td data-label="Since">
              <Ago at={session.createdAt} />
            </td>
            <td className={list.actions}>
              {!session.current && (
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => onEnd(session.id)}
                  aria-label={`End the session from ${session.address ?? 'an unknown address'}`}
                >
                  End
                </Button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

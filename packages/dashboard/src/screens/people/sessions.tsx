import { Button } from '@mantine/core';
import type { SessionView } from '@tallygate/contract/api/auth';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { sessionsQuery } from '../../app/api/queries.ts';
import { browserName } from '../../ui/browser-name.ts';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { methodText } from '../../ui/sign-in-method.ts';
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
      {rows.length > 0 && <SessionTable rows={rows} onEnd={(id) => end.mutate(id)} />}
    </Section>
  );
}

function SessionTable({ rows, onEnd }: { rows: SessionView[]; onEnd: (id: string) => void }) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Signed in by</th>
          <th scope="col">Browser</th>
          <th scope="col">Address</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((session) => (
          <tr key={session.id}>
            <th scope="row" className={list.name}>
              {session.user.username} {session.current && <span className={list.state}>this one</span>}
            </th>
            <td data-label="By">{methodText(session.method)}</td>
            <td data-label="Browser">{browserName(session.userAgent)}</td>
            <td data-label="Address">{session.address ?? 'unknown'}</td>
            <td data-label="Last used">
              <Ago at={session.lastSeenAt} />
            </td>
            <td className={list.actions}>
              {!session.current && (
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => onEnd(session.id)}
                  aria-label={`End the session of ${session.user.username} from ${session.address ?? 'an unknown address'}`}
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

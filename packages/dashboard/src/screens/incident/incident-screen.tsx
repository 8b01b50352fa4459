import { Button } from '@mantine/core';
import {
  type IncidentStatus,
  REVOKE_SESSIONS_CONFIRMATION,
  ROTATE_ALL_CONFIRMATION,
} from '@tallygate/contract/api/incident';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { incidentQuery } from '../../app/api/security-queries.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { downloadText } from '../../ui/download.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { plural } from '../../ui/format/count.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import classes from './incident-screen.module.css';

function Act(props: { title: string; text: ReactNode; paused?: boolean; children: ReactNode }) {
  return (
    <section className={`${panel.panel} ${classes.act} ${props.paused ? classes.paused : ''}`}>
      <div>
        <h2>{props.title}</h2>
        <p>{props.text}</p>
      </div>
      {props.children}
    </section>
  );
}

function useAct<Answer>(send: () => Promise<Answer>, done: (answer: Answer) => string, onDone?: () => void) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async (answer) => {
      announce(done(answer));
      onDone?.();
      await queryClient.invalidateQueries();
    },
  });
}

function PauseAct({ status }: { status: IncidentStatus }) {
  const api = useApi();
  const announce = useAnnounce();
  const pause = useAct(
    () => api.send<{ ended: number }>('POST', '/api/incident/pause', {}),
    ({ ended }) => `Traffic is paused; ${plural(ended, 'running request')} ended.`,
  );
  const resume = useAct(
    () => api.send('POST', '/api/incident/resume', {}),
    () => 'Traffic passes again.',
  );
  const failed = pause.error ?? resume.error;
  if (status.paused === null) {
    return (
      <Act
        title="Traffic passes"
        text={
          failed?.message ??
          'Pausing refuses every request from now on and ends those that run. It stands after a restart.'
        }
      >
        <Button color="red" loading={pause.isPending} onClick={() => pause.mutate()}>
          Pause all traffic
        </Button>
      </Act>
    );
  }
  const { by, since, reason } = status.paused;
  const text = (
    <>
      By {by}, <Ago at={since} />
      {reason === null ? '.' : `: ${reason}.`} Every request is refused with 503.
    </>
  );
  return (
    <Act title="Traffic is paused" text={failed?.message ?? text} paused>
      <Button
        loading={resume.isPending}
        onClick={() => resume.mutate(undefined, { onError: (error) => announce(error.message, 'bad') })}
      >
        Let traffic through
      </Button>
    </Act>
  );
}

function RotateAct({ status }: { status: IncidentStatus }) {
  const api = useApi();
  const [asked, setAsked] = useState(false);
  const rotate = useAct(
    () =>
      api.send<{ revoked: number }>('POST', '/api/incident/rotate-all', { confirm: ROTATE_ALL_CONFIRMATION }),
    ({ revoked }) => `${plural(revoked, 'key')} revoked.`,
    () => setAsked(false),
  );
  return (
    <Act
      title="Revoke every key"
      text={`${plural(status.workingKeys, 'key')} can be used. When it is not known which one leaked, end them all and make new ones.`}
    >
      <Button variant="default" disabled={status.workingKeys === 0} onClick={() => setAsked(true)}>
        Revoke every key
      </Button>
      {asked && (
        <ConfirmByName
          title="Revoke every key"
          name={ROTATE_ALL_CONFIRMATION}
          action="Revoke every key"
          consequences={
            <p>Every request with any of the keys fails with 401 from now on, and it cannot be undone.</p>
          }
          pending={rotate.isPending}
          error={rotate.error}
          onConfirm={() => rotate.mutate()}
          onClose={() => setAsked(false)}
        />
      )}
    </Act>
  );
}

function SessionsAct() {
  const api = useApi();
  const [asked, setAsked] = useState(false);
  const end = useAct(
    () => api.send('POST', '/api/incident/revoke-sessions', { confirm: REVOKE_SESSIONS_CONFIRMATION }),
    () => 'Every session is ended.',
    () => {
      api.forgetCsrf();
      window.location.assign('/login');
    },
  );
  return (
    <Act
      title="Sign everybody out"
      text="Every session ends on the server, this one too. Everybody signs in again."
    >
      <Button variant="default" onClick={() => setAsked(true)}>
        End every session
      </Button>
      {asked && (
        <ConfirmByName
          title="End every session"
          name={REVOKE_SESSIONS_CONFIRMATION}
          action="End every session"
          consequences={<p>You are signed out as well.</p>}
          pending={end.isPending}
          error={end.error}
          onConfirm={() => end.mutate()}
          onClose={() => setAsked(false)}
        />
      )}
    </Act>
  );
}

function ExportAct() {
  const api = useApi();
  const announce = useAnnounce();
  const download = useMutation({
    mutationFn: () => api.get<unknown>('/api/incident/export'),
    onSuccess: (state) => downloadText('incident-state.json', `${JSON.stringify(state, null, 2)}\n`),
    onError: (error) => announce(error.message, 'bad'),
  });
  return (
    <Act
      title="Keep the evidence"
      text="Settings, keys, accounts and counters as they are now, without any secret. The audit log itself is downloaded on the screen Audit; the command tallygate incident export writes both."
    >
      <Button variant="default" loading={download.isPending} onClick={() => download.mutate()}>
        Download the state
      </Button>
    </Act>
  );
}

/** What to do when something leaked: stop, take away, keep the evidence. */
export function IncidentScreen() {
  useTitle('Incident');
  const query = useQuery(incidentQuery(useApi()));
  return (
    <>
      <PageHeader title="Incident" />
      <SecurityTabs />
      {query.isPending && (
        <div className={`${panel.panel} ${classes.act}`} aria-busy="true">
          <span className="sr-only">Loading the state</span>
          <SkeletonLines lines={6} />
        </div>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && (
        <div className={classes.stack}>
          <PauseAct status={query.data} />
          <RotateAct status={query.data} />
          <SessionsAct />
          <ExportAct />
        </div>
      )}
    </>
  );
}

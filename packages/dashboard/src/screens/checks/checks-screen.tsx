import { Button } from '@mantine/core';
import type { CheckResult, CheckStatus, CheckupRun, CheckupView } from '@tallygate/contract/api/checkup';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { CHECKUP_QUERY, checkupQuery } from '../../app/api/security-queries.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { plural } from '../../ui/format/count.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { Section } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import classes from './checks.module.css';

const WORDS: Readonly<Record<CheckStatus, string>> = { fail: 'fails', warn: 'look at it', ok: 'passes' };
/** What does not pass comes first. */
const ORDER: readonly CheckStatus[] = ['fail', 'warn', 'ok'];

/** `stale_keys` → `Stale keys`, `redis_tls` → `Redis TLS`. */
function titleOf(id: string): string {
  const words = id.replaceAll('_', ' ').replace(/\b(?:tls|cors)\b/g, (name) => name.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function summary(checks: readonly CheckResult[]): string {
  const count = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  const [failed, warned, passed] = ORDER.map(count);
  return [
    ...(failed ? [`${failed} ${failed === 1 ? 'fails' : 'fail'}`] : []),
    ...(warned ? [`${warned} to look at`] : []),
    `${passed ?? 0} ${passed === 1 ? 'passes' : 'pass'}`,
  ].join(', ');
}

function Checks({ title, checks }: { title: string; checks: readonly CheckResult[] }) {
  const sorted = ORDER.flatMap((status) => checks.filter((check) => check.status === status));
  return (
    <Section title={title} tools={<span className={classes.summary}>{summary(checks)}</span>}>
      <ul className={classes.list}>
        {sorted.map(({ id, status, message, fix, command }) => (
          <li key={`${id} ${message}`} className={classes.check}>
            <span className={classes.status} data-status={status}>
              {WORDS[status]}
            </span>
            <div className={classes.words}>
              <p>
                <b>{titleOf(id)}.</b> {message}
              </p>
              {fix !== null && <Remedy fix={fix} command={command} />}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What to do. A command at its end, of the machine of the server, can be copied. */
function Remedy({ fix, command }: Pick<CheckResult, 'command'> & { fix: string }) {
  const words = command !== undefined && fix.endsWith(command) ? fix.slice(0, -command.length) : fix;
  return (
    <p className={classes.fix}>
      <b>Remedy:</b> {words}
      {words !== fix && <CopyText text={command ?? ''} label="the command" />}
    </p>
  );
}

function LastRun({ run }: { run: CheckupRun }) {
  return (
    <>
      <Checks title="Is it safe" checks={run.safety} />
      <Checks title="Is it in order" checks={run.order} />
      <p className={classes.note}>
        Last run <Ago at={run.at} /> by {run.by}. On the machine of the server{' '}
        <code>tallygate security-check</code> makes the same checks of safety, and asks the registry of
        packages too; <code>tallygate doctor</code> works also while the server does not.
      </p>
    </>
  );
}

/** Whether this installation is safe and in order, as the server finds when it looks at itself. */
export function ChecksScreen() {
  useTitle('Checks');
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const query = useQuery(checkupQuery(api));
  const run = useMutation({
    mutationFn: () => api.send<CheckupView>('POST', '/api/security/checkup'),
    onSuccess: (view) => {
      queryClient.setQueryData(CHECKUP_QUERY, view);
      const { safety = [], order = [] } = view.lastRun ?? {};
      announce(`${plural(safety.length + order.length, 'check')} made: ${summary([...safety, ...order])}.`);
    },
  });
  const lastRun = query.data?.lastRun ?? null;
  const button = (
    <Button loading={run.isPending} onClick={() => run.mutate()}>
      {lastRun === null ? 'Run the checks' : 'Run again'}
    </Button>
  );
  return (
    <>
      <PageHeader title="Checks">{lastRun !== null && button}</PageHeader>
      <SecurityTabs />
      {run.isError && <FormError error={run.error} />}
      {query.isPending && (
        <div aria-busy="true">
          <span className="sr-only">Loading the last run</span>
          <SkeletonLines lines={8} />
        </div>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && lastRun === null && (
        <div className={panel.panel}>
          <EmptyState
            title="Nobody has run the checks yet"
            text="The server looks at its files, settings, certificate, what it sends to browsers, people, keys, backups, audit log, store and journal, and says what to do about what is not as it should be. It changes nothing."
            action={button}
          />
        </div>
      )}
      {lastRun !== null && <LastRun run={lastRun} />}
    </>
  );
}

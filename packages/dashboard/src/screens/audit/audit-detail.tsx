import { CloseButton } from '@mantine/core';
import type { AuditEntryView } from '@tallygate/contract/api/audit';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { auditEntryQuery } from '../../app/api/security-queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { formatAbsolute } from '../../ui/format/time.ts';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './audit.module.css';
import { outcomeText, whoText } from './audit-text.ts';

function factsOf(entry: AuditEntryView): [string, string][] {
  const facts: [string, string | null][] = [
    ['When', formatAbsolute(Date.parse(entry.at))],
    ['Who', whoText(entry)],
    ['Id of who', entry.actor.id],
    ['Action', entry.action],
    ['Outcome', outcomeText(entry)],
    ['Error', entry.errorCode],
    ['Address', entry.address],
    ['Program', entry.userAgent],
    ['About', entry.resource?.replaceAll('_', ' ') ?? null],
    ['Its id', entry.resourceId],
    ['Request id', entry.requestId],
    ['Hash', entry.hash],
    ['Follows', entry.prevHash],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

function Changes({ entry }: { entry: AuditEntryView }) {
  if (entry.changes.length === 0) return <p>No field changed.</p>;
  return (
    <table className={classes.changes}>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {entry.changes.map(({ field, before, after }) => (
          <tr key={field}>
            <th scope="row">{field}</th>
            <td>{before ?? '–'}</td>
            <td>{after ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** One entry in a panel of its own; Esc closes it. */
export function AuditDetail({ seq, onClose }: { seq: number; onClose: () => void }) {
  const query = useQuery(auditEntryQuery(useApi(), seq));
  const root = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each entry that is opened takes the focus
  useEffect(() => root.current?.focus({ preventScroll: true }), [seq]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) onClose();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [onClose]);
  return (
    <aside ref={root} className={classes.panel} aria-label={`Entry ${seq}`} tabIndex={-1}>
      <div className={classes.bar}>
        <h2>Entry {seq}</h2>
        <CloseButton onClick={onClose} aria-label="Close" />
      </div>
      {query.isPending && <SkeletonLines lines={8} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data === null && <p>There is no entry with this number.</p>}
      {query.data && (
        <>
          <dl className={classes.facts}>
            {factsOf(query.data).map(([name, value]) => (
              <div key={name} className={classes.fact}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <h3>Before and after</h3>
          <Changes entry={query.data} />
        </>
      )}
    </aside>
  );
}

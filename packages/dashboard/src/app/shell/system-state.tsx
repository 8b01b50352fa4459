import { IconAlertTriangle } from '@tabler/icons-react';
import type { SystemView } from '@tallygate/contract/api/system';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { plural } from '../../ui/format/count.ts';
import { useApi } from '../api/api-context.tsx';
import { systemQuery } from '../api/queries.ts';
import { useMay } from '../api/use-may.ts';
import classes from './system-state.module.css';

const STATES: Record<SystemView['journal']['state'], { line: string; banner: string | null }> = {
  ok: { line: 'All well', banner: null },
  degraded: {
    line: 'Journal degraded',
    banner:
      'The journal is degraded: requests are served, but a crash now could lose the newest ones. Check the disk of the data directory.',
  },
  full: {
    line: 'Journal full',
    banner:
      'The disk of the data directory is full. What happens to requests now follows the disk-full policy; free some space to return to normal.',
  },
};

/** Banners only when something is wrong with the journal or should not stay as it is: what it means, what to do. */
export function SystemBanner() {
  const may = useMay()('system.view');
  const system = useQuery({ ...systemQuery(useApi()), enabled: may });
  const journal = system.data?.journal;
  const text = journal ? STATES[journal.state].banner : null;
  const warnings = system.data?.warnings ?? [];
  return (
    <>
      {journal && text !== null && <JournalBanner text={text} backlogEntries={journal.backlogEntries} />}
      {warnings.map(({ code, message }) => (
        <Banner key={code}>{message}</Banner>
      ))}
    </>
  );
}

function Banner({ children }: { children: ReactNode }) {
  return (
    <div className={classes.banner} role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <span>{children}</span>
    </div>
  );
}

function JournalBanner({ text, backlogEntries }: { text: string; backlogEntries: number }) {
  return (
    <Banner>
      {text}
      {backlogEntries > 0 && ` ${plural(backlogEntries, 'entry', 'entries')} not yet in the ledger.`}
    </Banner>
  );
}

/** Version and state in one quiet line. */
export function SystemLine() {
  const may = useMay()('system.view');
  const system = useQuery({ ...systemQuery(useApi()), enabled: may });
  if (system.data) {
    const { version, journal, store } = system.data;
    return (
      <p className={classes.line} title={`Store: ${store.kind}, schema ${store.schemaVersion}`}>
        <span className={classes.dot} data-state={journal.state} aria-hidden />
        {STATES[journal.state].line} · {version}
      </p>
    );
  }
  if (!may) return null;
  return (
    <p className={classes.line}>
      <span className={classes.dot} data-state={system.isError ? 'lost' : 'ok'} aria-hidden />
      {system.isError ? 'State unknown' : '…'}
    </p>
  );
}

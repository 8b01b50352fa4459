import { NativeSelect, TextInput } from '@mantine/core';
import type { AuditOutcome } from '@tallygate/contract/api/audit';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { auditQuery } from '../../app/api/security-queries.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { type AuditSearch, OUTCOMES } from '../../app/url/audit-search.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import classes from './audit.module.css';
import { AuditDetail } from './audit-detail.tsx';
import { AuditList } from './audit-list.tsx';
import { LogTools, useVerification, VerificationResult } from './log-tools.tsx';

const OUTCOME_TEXT: Record<AuditOutcome, string> = {
  started: 'Started',
  ok: 'Done',
  refused: 'Refused',
  failed: 'Failed',
};

function Filters({ search, onChange }: { search: AuditSearch; onChange: (next: AuditSearch) => void }) {
  const change = (name: keyof AuditSearch, value: string): void => {
    const { [name]: _old, entry: _open, ...rest } = search;
    onChange((value === '' ? rest : { ...rest, [name]: value }) as AuditSearch);
  };
  const field = (name: 'resource' | 'address' | 'actor', label: string) => (
    <TextInput
      key={`${name} ${search[name] ?? ''}`}
      size="sm"
      aria-label={label}
      placeholder={label}
      defaultValue={search[name] ?? ''}
      onBlur={(event) => change(name, event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') change(name, event.currentTarget.value.trim());
      }}
    />
  );
  return (
    <div className={classes.filters}>
      <NativeSelect
        size="sm"
        aria-label="Outcome"
        value={search.outcome ?? ''}
        onChange={(event) => change('outcome', event.currentTarget.value)}
        data={[
          { value: '', label: 'Every outcome' },
          ...OUTCOMES.map((outcome) => ({ value: outcome, label: OUTCOME_TEXT[outcome] })),
        ]}
      />
      {field('resource', 'About, such as api_key')}
      {field('address', 'Address')}
      {field('actor', 'Id of who')}
    </div>
  );
}

/** Who did what, newest first; one entry with before and after; proof that the log is whole. */
export function AuditScreen() {
  useTitle('Audit');
  const search: AuditSearch = useSearch({ from: '/shell/audit' });
  const navigate = useNavigate();
  const query = useInfiniteQuery(auditQuery(useApi(), search));
  const verification = useVerification();
  const pages = query.data?.pages;
  const entries = useMemo(() => (pages ?? []).flatMap((page) => page.entries), [pages]);
  const go = useCallback((next: AuditSearch) => void navigate({ to: '/audit', search: next }), [navigate]);
  const { fetchNextPage } = query;
  const { entry, ...filters } = search;
  const openSeq = entry === undefined ? null : Number(entry);
  const filtered = Object.keys(filters).length > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew when the filters change, not at each render
  const close = useCallback(() => go(filters), [go, JSON.stringify(filters)]);
  return (
    <div className={classes.screen}>
      <PageHeader title="Audit">
        <LogTools verification={verification} />
      </PageHeader>
      <SecurityTabs />
      <VerificationResult verification={verification} />
      <Filters search={search} onChange={go} />
      <div className={`${panel.panel} ${classes.body}`}>
        {query.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the log</span>
            <SkeletonLines lines={10} />
          </div>
        )}
        {query.isError && entries.length === 0 && (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.isSuccess && entries.length === 0 && (
          <EmptyState
            title={filtered ? 'Nothing matches' : 'Nothing yet'}
            text={
              filtered
                ? 'No entry has this outcome, thing, address and person.'
                : 'Sign-ins, changes and exports are written down here as they happen, and can never be changed afterwards.'
            }
          />
        )}
        {entries.length > 0 && (
          <AuditList
            entries={entries}
            openSeq={openSeq}
            hasMore={query.hasNextPage}
            loadingMore={query.isFetchingNextPage}
            onMore={() => void fetchNextPage()}
            onOpen={(seq) => go({ ...filters, entry: String(seq) })}
          />
        )}
      </div>
      {openSeq !== null && <AuditDetail seq={openSeq} onClose={close} />}
    </div>
  );
}

import { Button } from '@mantine/core';
import type { AlertEventView } from '@tallygate/contract/api/alerts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { alertEventsQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { formatAbsolute } from '../../ui/format/time.ts';
import { ListPanel } from '../../ui/list-panel.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AlertTabs } from './alert-tabs.tsx';
import { SEVERITY_WORDS, STATE_WORDS } from './alert-words.ts';
import classes from './alerts.module.css';

function toneOf({ state, severity }: AlertEventView): 'good' | 'bad' | 'warn' | undefined {
  if (state === 'recovered') return 'good';
  if (state === 'test' || state === 'closed' || severity === 'info') return undefined;
  return severity === 'critical' ? 'bad' : 'warn';
}

function EventItem({ event }: { event: AlertEventView }) {
  const word = event.state === 'firing' ? SEVERITY_WORDS[event.severity] : STATE_WORDS[event.state];
  return (
    <li>
      <details className={classes.event}>
        <summary>
          <span className={classes.mark} data-tone={toneOf(event)}>
            {word}
          </span>
          <span className={classes.title}>{event.title}</span>
          <span className={classes.meta}>
            {event.ruleName} · <Ago at={event.at} />
          </span>
        </summary>
        <div className={classes.body}>
          <p>{event.text}</p>
          <dl className={classes.facts}>
            {event.facts.map(({ label, value }) => (
              <div key={label} className={classes.fact}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
            {event.environment !== null && (
              <>
                <dt>Environment</dt>
                <dd>{event.environment}</dd>
              </>
            )}
            <dt>Since</dt>
            <dd>{formatAbsolute(Date.parse(event.since))}</dd>
            <dt>Event</dt>
            <dd>
              <code>{event.id}</code>
            </dd>
          </dl>
          {event.path !== null && <a href={event.path}>Show what it is about</a>}
        </div>
      </details>
    </li>
  );
}

/** What was told, newest first; each one explains itself. */
export function AlertHistoryScreen() {
  useTitle('Alert history');
  const { rule } = useSearch({ from: '/shell/alerts/history' });
  const query = useInfiniteQuery(alertEventsQuery(useApi(), rule));
  const events = query.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <>
      <PageHeader title="Alerts" />
      <AlertTabs />
      {rule !== undefined && (
        <p className={classes.note}>
          What one rule has told{events[0] === undefined ? '' : `: ${events[0].ruleName}`}.{' '}
          <Link to="/alerts/history">Show every rule</Link>
        </p>
      )}
      <ListPanel
        query={query}
        what="history"
        lines={6}
        isEmpty={events.length === 0}
        empty={
          <EmptyState
            title="Nothing was told yet"
            text="When a rule fires, it shows here with what it found."
          />
        }
      >
        <ul className={classes.list}>
          {events.map((event) => (
            <EventItem key={event.id} event={event} />
          ))}
        </ul>
        {query.hasNextPage && (
          <div className={classes.more}>
            <Button
              size="sm"
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              Show older
            </Button>
          </div>
        )}
      </ListPanel>
    </>
  );
}

import type { RequestDetailView, RequestView } from '@tallygate/contract/api/usage';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CodeBlock } from '../../../ui/code-block.tsx';
import { CopyText } from '../../../ui/copy-text.tsx';
import { Count, Duration, Money, Unknown } from '../../../ui/figures.tsx';
import { formatBytes } from '../../../ui/format/count.ts';
import { formatAbsolute } from '../../../ui/format/time.ts';
import { Mark } from '../../../ui/mark.tsx';
import { StatusText } from '../status-text.tsx';
import { AttemptList } from './attempt-list.tsx';
import { PriceLines } from './price-lines.tsx';
import classes from './request-detail.module.css';
import { requestTiming } from './timing.ts';
import { TimingChart } from './timing-chart.tsx';
import { TokenBar } from './token-bar.tsx';

/** Everything known about one request, the answer to "why did this cost that" first. */
export function RequestDetail({ detail }: { detail: RequestDetailView }) {
  const { request, attempts, children } = detail;
  const timing = requestTiming(request, attempts);
  return (
    <div className={classes.detail}>
      <Summary row={request} />
      {timing && (
        <Section title="Time">
          <TimingChart timing={timing} />
        </Section>
      )}
      <Section title="Tokens">
        <TokenBar tokens={request.tokens} weighted={request.weightedTokens} />
      </Section>
      <Section title="Price">
        <PriceLines detail={detail} />
      </Section>
      {attempts.length > 0 && (
        <Section title={attempts.length === 1 ? 'Attempt' : `${attempts.length} attempts`}>
          <AttemptList attempts={attempts} />
        </Section>
      )}
      {children.length > 0 && (
        <Section title="Sub-calls">
          <Children rows={children} />
        </Section>
      )}
      <Section title="Facts">
        <Facts detail={detail} />
      </Section>
      {detail.rawUsage != null && (
        <details className={classes.raw}>
          <summary>Usage as the upstream reported it</summary>
          <CodeBlock code={JSON.stringify(detail.rawUsage, null, 2)} label="the raw usage" />
        </details>
      )}
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section} aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Summary({ row }: { row: RequestView }) {
  const differs =
    row.modelServed !== null && row.modelRequested !== null && row.modelServed !== row.modelRequested;
  return (
    <div>
      <div className={classes.title}>
        <p className={classes.model}>{row.modelServed ?? row.modelRequested ?? 'No model named'}</p>
        <StatusText row={row} long />
      </div>
      {differs && <p className={classes.asked}>asked for as {row.modelRequested}</p>}
      <dl className={classes.figures}>
        <div>
          <dt>Cost</dt>
          <dd>
            {row.priceStatus === 'unpriced' ? <Mark kind="unpriced" /> : <Money usd={row.costUsd} />}
            {row.settleStatus !== 'final' && <Mark kind={row.settleStatus} />}
          </dd>
        </div>
        <div>
          <dt>Tokens</dt>
          <dd>
            <Count value={row.totalTokens} what="token count" />
          </dd>
        </div>
        <div>
          <dt>Latency</dt>
          <dd>
            <Duration ms={row.latencyMs} what="latency" />
          </dd>
        </div>
        <div>
          <dt>First token</dt>
          <dd>
            <Duration ms={row.ttftMs} what="time to first token" />
          </dd>
        </div>
      </dl>
    </div>
  );
}

function Children({ rows }: { rows: RequestView[] }) {
  return (
    <ul className={classes.children}>
      {rows.map((row) => (
        <li key={row.id}>
          <Link to="/requests/$requestId" params={{ requestId: row.id }} search={(old) => old as object}>
            {row.modelServed ?? row.modelRequested ?? row.id}
          </Link>
          <Money usd={row.costUsd} />
        </li>
      ))}
    </ul>
  );
}

function Facts({ detail }: { detail: RequestDetailView }) {
  const { request: row, requestBytes, responseBytes } = detail;
  const facts: [string, ReactNode][] = [
    ['Started', formatAbsolute(Date.parse(row.startedAt))],
    ['Request id', <CopyText key="id" text={row.id} label="request id" />],
    [
      'Upstream id',
      row.upstreamRequestId === null ? (
        <Unknown key="up" what="upstream request id" />
      ) : (
        <CopyText key="up" text={row.upstreamRequestId} label="upstream request id" />
      ),
    ],
    ['Project', row.project.slug],
    ['Key', row.key?.name ?? 'none'],
    ['Account', row.account?.name ?? 'none'],
    [
      'API',
      `${row.provider} · ${row.apiFlavor.replaceAll('_', ' ')} · ${row.stream ? 'streamed' : 'not streamed'}`,
    ],
    ['Size', `${bytes(requestBytes)} sent, ${bytes(responseBytes)} answered`],
  ];
  if (detail.pool !== null) facts.push(['Pool', detail.pool.name]);
  if (detail.rule !== null) facts.push(['Rule', ruleText(detail.rule)]);
  if (detail.cacheLoss !== null) facts.push(['Cache lost', <CacheLoss key="loss" loss={detail.cacheLoss} />]);
  if (row.errorCode !== null) facts.push(['Error', <code key="error">{row.errorCode}</code>]);
  if (row.serviceTier !== null) facts.push(['Service tier', row.serviceTier]);
  if (row.sessionId !== null)
    facts.push(['Session', <CopyText key="session" text={row.sessionId} label="session id" />]);
  if (row.tags.length > 0) facts.push(['Tags', row.tags.join(', ')]);
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ruleText({ name, changes }: NonNullable<RequestDetailView['rule']>): string {
  const told = changes.map(({ what, from, to }) => `${what} ${from ?? 'not set'} → ${to ?? 'removed'}`);
  return [name, ...told].join(' · ');
}

/** The session came from an account where its prompt cache was warm. */
function CacheLoss({ loss }: { loss: NonNullable<RequestDetailView['cacheLoss']> }) {
  return (
    <>
      <Count value={loss.tokens} what="tokens lost from the cache" /> tokens{' '}
      {loss.costUsd !== null && (
        <>
          (<Money usd={loss.costUsd} />)
        </>
      )}
      , because the session came from another account
    </>
  );
}

function bytes(value: number | null): string {
  return value === null ? 'unknown' : formatBytes(value);
}

// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual table are positioned one by one, which table elements cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: a row takes the focus through the link inside it
// biome-ignore-all lint/a11y/noStaticElementInteractions: the arrow keys are heard for the links inside
import type { RequestView } from '@tallygate/contract/api/usage';
import { memo } from 'react';
import { Count, Duration, Money } from '../../ui/figures.tsx';
import { formatAbsolute, formatAgo, formatClock, formatShort } from '../../ui/format/time.ts';
import { Mark } from '../../ui/mark.tsx';
import classes from './request-list.module.css';
import { cachedTokens, inputTokens, outputTokens } from './request-match.ts';
import { StatusText } from './status-text.tsx';

const HOUR_MS = 3_600_000;

interface Props {
  row: RequestView;
  nowMs: number;
  selected: boolean;
  index: number;
  top: number;
  /** A plain address: a router link for each row would cost more than the row. The list takes the click. */
  href: string;
}

/** One line of the ledger. Memoised: while scrolling, only rows that come into view are rendered. */
export const RequestRow = memo(function RequestRow({ row, nowMs, selected, index, top, href }: Props) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={classes.row}
      data-selected={selected}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" className={classes.time}>
        <a
          href={href}
          className={classes.link}
          aria-current={selected ? 'true' : undefined}
          data-row={index}
          data-id={row.id}
        >
          <RowTime at={Date.parse(row.startedAt)} nowMs={nowMs} />
        </a>
      </span>
      <span role="cell" className={classes.status}>
        <StatusText row={row} />
      </span>
      <span role="cell" className={classes.model}>
        <ModelName row={row} />
      </span>
      <span role="cell" className={classes.project}>
        {row.project.slug}
      </span>
      <span role="cell" className={classes.key}>
        {row.key?.name ?? '–'}
      </span>
      <span role="cell" className={`${classes.number} ${classes.tokens}`}>
        <Count value={inputTokens(row)} what="input" />
      </span>
      <span role="cell" className={`${classes.number} ${classes.tokens}`}>
        <Count value={cachedTokens(row)} what="cache read" />
      </span>
      <span role="cell" className={`${classes.number} ${classes.tokens}`}>
        <Count value={outputTokens(row)} what="output" />
      </span>
      <span role="cell" className={`${classes.number} ${classes.cost}`}>
        <Cost row={row} />
      </span>
      <span role="cell" className={`${classes.number} ${classes.latency}`}>
        <Duration ms={row.latencyMs} what="latency" />
      </span>
      <span role="cell" className={`${classes.number} ${classes.ttft}`}>
        <Duration ms={row.ttftMs} what="time to first token" />
      </span>
    </div>
  );
});

function RowTime({ at, nowMs }: { at: number; nowMs: number }) {
  const age = nowMs - at;
  const text = age < HOUR_MS ? formatAgo(at, nowMs) : age < 20 * HOUR_MS ? formatClock(at) : formatShort(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatAbsolute(at)}>
      {text}
    </time>
  );
}

/** The model that answered; where another was asked for (not just its undated name), both. */
export function ModelName({ row }: { row: RequestView }) {
  const { modelRequested: asked, modelServed: served } = row;
  if (served === null) return <span className={classes.muted}>{asked ?? '–'}</span>;
  if (asked === null || served === asked || served.startsWith(`${asked}-20`))
    return <span title={served}>{asked ?? served}</span>;
  return (
    <span title={`Asked for ${asked}, answered by ${served}`}>
      <span className={classes.muted}>{asked} →</span> {served}
    </span>
  );
}

function Cost({ row }: { row: RequestView }) {
  if (row.priceStatus === 'unpriced') return <Mark kind="unpriced" />;
  return (
    <>
      {row.settleStatus !== 'final' && row.costUsd !== null && (
        <span className={classes.about} title={`${row.settleStatus} usage`}>
          ≈{' '}
        </span>
      )}
      <Money usd={row.costUsd} />
    </>
  );
}

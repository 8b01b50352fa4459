import { useMediaQuery } from '@mantine/hooks';
import type { AuditEntryView } from '@tallygate/contract/api/audit';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { Ago } from '../../ui/figures.tsx';
import classes from './audit.module.css';
import { aboutText, outcomeText, whoText } from './audit-text.ts';

const ROW_PX = 40;
const PHONE_ROW_PX = 64;
const AHEAD = 40;

interface Props {
  entries: AuditEntryView[];
  openSeq: number | null;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  onOpen: (seq: number) => void;
}

/** The log, newest first. Only the rows in view exist; the rest is height. */
export function AuditList({ entries, openSeq, hasMore, loadingMore, onMore, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const phone = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false });
  const size = phone ? PHONE_ROW_PX : ROW_PX;
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    overscan: 8,
    getItemKey: (index) => entries[index]?.seq ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new row height makes every cached position wrong
  useEffect(() => virtual.measure(), [size]);
  useEffect(() => {
    if (hasMore && !loadingMore && last >= entries.length - AHEAD) onMore();
  }, [hasMore, loadingMore, last, entries.length, onMore]);
  const onKeyDown = (event: KeyboardEvent<HTMLButtonElement>): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = Number(event.currentTarget.dataset.index) + step;
    scroller.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus();
  };
  return (
    <div ref={scroller} className={classes.scroller}>
      <div className={classes.space} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const entry = entries[item.index];
          return entry === undefined ? null : (
            <button
              key={item.key}
              type="button"
              className={classes.row}
              style={{ transform: `translateY(${item.start}px)` }}
              data-index={item.index}
              aria-current={entry.seq === openSeq}
              onClick={() => onOpen(entry.seq)}
              onKeyDown={onKeyDown}
            >
              <span className={classes.seq}>{entry.seq}</span>
              <span>
                <Ago at={entry.at} />
              </span>
              <span className={classes.who}>{whoText(entry)}</span>
              <span>{entry.action}</span>
              <span className={classes.outcome} data-outcome={entry.outcome}>
                {outcomeText(entry)}
              </span>
              <span className={classes.about}>{aboutText(entry)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

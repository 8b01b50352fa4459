// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual table are positioned one by one, which table elements cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: a row takes the focus through the link inside it
// biome-ignore-all lint/a11y/noStaticElementInteractions: the arrow keys are heard for the links inside
import { useMediaQuery } from '@mantine/hooks';
import type { RequestView } from '@tallygate/contract/api/usage';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useRef } from 'react';
import { useNow } from '../../ui/use-now.ts';
import classes from './request-list.module.css';
import { RequestRow } from './request-row.tsx';

const ROW_PX = 38;
const PHONE_ROW_PX = 66;
/** The next page is asked for when this many loaded rows are left below the view. */
const AHEAD = 120;

const COLUMNS = [
  { label: 'Time', number: false },
  { label: 'Status', number: false },
  { label: 'Model', number: false },
  { label: 'Project', number: false },
  { label: 'Key', number: false },
  { label: 'Input', number: true, hint: 'Tokens sent, without those read from a cache' },
  { label: 'Cached', number: true, hint: 'Tokens read from the cache' },
  { label: 'Output', number: true, hint: 'Tokens answered, reasoning included' },
  { label: 'Cost', number: true },
  { label: 'Latency', number: true, hint: 'From the request to the last byte' },
  { label: 'TTFT', number: true, hint: 'Time to the first token' },
];

interface Props {
  rows: RequestView[];
  selectedId: string | null;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  /** Search text that a row's address carries. */
  searchText: string;
  onOpen: (id: string) => void;
  /** Whether the first row is in view: only then may new rows push in above. */
  onTop: (atTop: boolean) => void;
}

/** Only the rows in view exist; the rest is height. */
export function RequestList({
  rows,
  selectedId,
  hasMore,
  loadingMore,
  onMore,
  onTop,
  searchText,
  onOpen,
}: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow(10_000);
  const phone = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false });
  const size = phone ? PHONE_ROW_PX : ROW_PX;
  // New functions would make the virtualizer measure every row again at every frame.
  const getItemKey = useCallback((index: number) => rows[index]?.id ?? index, [rows]);
  const estimateSize = useCallback(() => size, [size]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    overscan: 6,
    getItemKey,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new row height makes every cached position wrong
  useEffect(() => virtual.measure(), [size]);
  useEffect(() => {
    if (hasMore && !loadingMore && last >= rows.length - AHEAD) onMore();
  }, [hasMore, loadingMore, last, rows.length, onMore]);
  const selected = selectedId === null ? -1 : rows.findIndex((row) => row.id === selectedId);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a move of the selection may scroll
  useEffect(() => {
    if (selected >= 0) virtual.scrollToIndex(selected, { align: 'auto' });
  }, [selectedId]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const from = Number((event.target as HTMLElement).dataset.row);
    if (step === 0 || Number.isNaN(from) || selectedId !== null) return;
    event.preventDefault();
    scroller.current?.querySelector<HTMLElement>(`[data-row="${from + step}"]`)?.focus();
  };
  const onClick = (event: MouseEvent): void => {
    const id = (event.target as HTMLElement).closest<HTMLElement>('a[data-id]')?.dataset.id;
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
    if (id === undefined || elsewhere) return;
    event.preventDefault();
    onOpen(id);
  };
  return (
    <div
      ref={scroller}
      onClick={onClick}
      className={classes.scroller}
      onScroll={(event) => onTop(event.currentTarget.scrollTop < size / 2)}
      onKeyDown={onKeyDown}
    >
      <div
        role="table"
        aria-label="Requests, newest first"
        aria-rowcount={hasMore ? -1 : rows.length + 1}
        className={classes.table}
      >
        <div role="rowgroup" className={classes.headGroup}>
          <div role="row" aria-rowindex={1} className={classes.head}>
            {COLUMNS.map((column) => (
              <span
                key={column.label}
                role="columnheader"
                className={column.number ? classes.number : undefined}
                title={column.hint}
              >
                {column.label}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item) => {
            const row = rows[item.index];
            return row ? (
              <RequestRow
                key={item.key}
                row={row}
                nowMs={now}
                index={item.index}
                top={item.start}
                selected={row.id === selectedId}
                href={`/requests/${row.id}${searchText}`}
              />
            ) : null;
          })}
        </div>
      </div>
      {loadingMore && <p className={classes.more}>Loading older requests…</p>}
    </div>
  );
}

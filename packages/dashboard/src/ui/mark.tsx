import { Tooltip } from '@mantine/core';
import classes from './mark.module.css';

export type MarkKind = 'unpriced' | 'estimated' | 'interrupted' | 'refunded';

/** What each mark means: shown wherever the mark is. */
export const MARK_MEANING: Record<MarkKind, string> = {
  unpriced:
    'No price card matches this model exactly. The tokens are counted; the cost is unknown, not zero.',
  estimated: 'The answer ended without a usage report, so usage was estimated from what had arrived.',
  interrupted: 'The gate stopped before this request ended. It is kept, with what is known of it.',
  refunded: 'Nothing is owed for this request.',
};

/** A small visible word where a figure has a caveat. */
export function Mark({ kind }: { kind: MarkKind }) {
  return (
    <Tooltip label={MARK_MEANING[kind]} w={260}>
      <span className={classes.mark} data-kind={kind}>
        {kind}
      </span>
    </Tooltip>
  );
}

import classes from './skeleton.module.css';

/** A grey block in the place of a text or a figure. */
export function Skeleton({ width = '100%', height = 14 }: { width?: number | string; height?: number }) {
  return <span className={classes.bone} style={{ width, height }} aria-hidden />;
}

const WIDTHS = ['82%', '64%', '74%', '58%', '70%'];

/** A few of them, of uneven length, as text is. */
export function SkeletonLines({ lines }: { lines: number }) {
  return (
    <div className={classes.lines} aria-hidden>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines have no identity
        <Skeleton key={i} width={WIDTHS[i % WIDTHS.length] ?? '70%'} />
      ))}
    </div>
  );
}

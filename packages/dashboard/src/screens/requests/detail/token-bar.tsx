import type { TokenCounts } from '@tallygate/contract/usage';
import { Count } from '../../../ui/figures.tsx';
import { formatExactCount, formatPercent } from '../../../ui/format/count.ts';
import { bucketParts } from './buckets.ts';
import classes from './token-bar.module.css';

/** The disjoint buckets as one bar, and each with its exact count. */
export function TokenBar({ tokens, weighted }: { tokens: TokenCounts; weighted: number | null }) {
  const parts = bucketParts(tokens);
  if (parts.length === 0) return <p className={classes.none}>No usage is known of this request.</p>;
  return (
    <div>
      <div className={classes.bar} aria-hidden>
        {parts.map((part) => (
          <span key={part.bucket} style={{ flexGrow: part.share, background: `var(${part.color})` }} />
        ))}
      </div>
      <ul>
        {parts.map((part) => (
          <li key={part.bucket} className={classes.row}>
            <span className={classes.swatch} style={{ background: `var(${part.color})` }} aria-hidden />
            <span className={classes.label}>{part.label}</span>
            <span className={classes.share}>{formatPercent(part.share)}</span>
            <span className={classes.value}>{formatExactCount(part.tokens)}</span>
          </li>
        ))}
        <li className={classes.row}>
          <span />
          <span className={classes.label}>Weighted by price</span>
          <span />
          <span className={classes.value}>
            <Count value={weighted} what="weighted count" />
          </span>
        </li>
      </ul>
    </div>
  );
}

import { formatCount, formatExactCount } from './format/count.ts';
import { formatDuration } from './format/duration.ts';
import { formatUsd, formatUsdExact } from './format/money.ts';
import { formatAbsolute, formatAgo } from './format/time.ts';
import { useNow } from './use-now.ts';

/** Money, adapted for reading; the exact amount on hover. Null is an unknown amount and reads as a dash. */
export function Money({ usd }: { usd: string | null }) {
  if (usd === null) return <Unknown what="cost" />;
  return (
    <data value={usd} title={formatUsdExact(usd)}>
      {formatUsd(usd)}
    </data>
  );
}

/** A count, shortened; exact on hover. */
export function Count({ value, what = 'count' }: { value: number | null; what?: string }) {
  if (value === null) return <Unknown what={what} />;
  return (
    <data value={value} title={formatExactCount(value)}>
      {formatCount(value)}
    </data>
  );
}

export function Duration({ ms, what = 'duration' }: { ms: number | null; what?: string }) {
  if (ms === null) return <Unknown what={what} />;
  return (
    <data value={ms} title={`${formatExactCount(ms)} ms`}>
      {formatDuration(ms)}
    </data>
  );
}

/** How long ago; both absolute times on hover. */
export function Ago({ at }: { at: string }) {
  const now = useNow(10_000);
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={formatAbsolute(atMs)}>
      {formatAgo(atMs, now)}
    </time>
  );
}

/** Unknown is not zero. */
export function Unknown({ what }: { what: string }) {
  return (
    <span title={`The ${what} is not known`}>
      <span aria-hidden>–</span>
      <span className="sr-only">unknown</span>
    </span>
  );
}

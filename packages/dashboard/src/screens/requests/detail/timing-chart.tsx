import { formatDuration } from '../../../ui/format/duration.ts';
import type { Timing } from './timing.ts';
import classes from './timing-chart.module.css';

/** A waterfall: each bar where it lay between the request and the last byte. */
export function TimingChart({ timing }: { timing: Timing }) {
  const percent = (ms: number): string => `${(ms / timing.totalMs) * 100}%`;
  return (
    <div className={classes.chart}>
      <ul>
        {timing.bars.map((bar) => (
          <li key={`${bar.label}${bar.startMs}`} className={classes.row} title={bar.text}>
            <span className={classes.label}>{bar.label}</span>
            <span className={classes.track}>
              <span
                className={classes.bar}
                data-kind={bar.kind}
                style={{ left: percent(bar.startMs), width: percent(Math.max(bar.endMs - bar.startMs, 0)) }}
              />
            </span>
            <span className={classes.value}>{formatDuration(bar.endMs - bar.startMs)}</span>
          </li>
        ))}
        {timing.ttftMs !== null && (
          <li className={classes.row} title="Time to the first token: the first content, not the first byte">
            <span className={classes.label}>first token</span>
            <span className={classes.track}>
              <span
                className={classes.tick}
                style={{ left: percent(Math.min(timing.ttftMs, timing.totalMs)) }}
              />
            </span>
            <span className={classes.value}>{formatDuration(timing.ttftMs)}</span>
          </li>
        )}
      </ul>
      <p className={classes.axis} aria-hidden>
        <span>0</span>
        <span>{formatDuration(timing.totalMs)}</span>
      </p>
    </div>
  );
}

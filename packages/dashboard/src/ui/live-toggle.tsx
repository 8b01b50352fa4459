import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import classes from './live-toggle.module.css';

export type LiveState = 'connecting' | 'live' | 'lost' | 'paused' | 'fixed';

const TEXT: Record<LiveState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  paused: 'Paused',
  fixed: 'Fixed range',
};

/** Says whether the view follows the traffic, and lets one hold it still. */
export function LiveToggle(props: { state: LiveState; onToggle: () => void }) {
  const { state } = props;
  if (state === 'fixed') {
    return (
      <span className={classes.fixed} title="A range between two instants does not move with the clock">
        Fixed range
      </span>
    );
  }
  const paused = state === 'paused';
  return (
    <button
      type="button"
      className={classes.toggle}
      data-state={state}
      aria-pressed={!paused}
      onClick={props.onToggle}
      title={paused ? 'Follow the traffic again' : 'Hold the view still'}
    >
      <span className={classes.dot} aria-hidden />
      <span aria-live="polite">{TEXT[state]}</span>
      {paused ? <IconPlayerPlay size={13} aria-hidden /> : <IconPlayerPause size={13} aria-hidden />}
      <span className="sr-only">{paused ? 'Resume live updates' : 'Pause live updates'}</span>
    </button>
  );
}

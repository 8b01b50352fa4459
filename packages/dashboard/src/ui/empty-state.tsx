import type { ReactNode } from 'react';
import classes from './empty-state.module.css';

/** Nothing here yet: what would be here, and the next step. */
export function EmptyState(props: { title: string; text: ReactNode; action?: ReactNode }) {
  return (
    <div className={classes.root}>
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.action}
    </div>
  );
}

import type { ReactNode } from 'react';
import classes from './entry-card.module.css';
import { Logo } from './logo.tsx';

/** One card in the middle of the page: the two screens that stand before everything else. */
export function EntryCard(props: { title: string; lead: ReactNode; children: ReactNode; foot?: ReactNode }) {
  return (
    <main className={classes.page}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <Logo size={30} />
          <span>Tallygate</span>
        </div>
        <h1>{props.title}</h1>
        <p className={classes.lead}>{props.lead}</p>
        {props.children}
      </div>
      {props.foot !== undefined && <p className={classes.foot}>{props.foot}</p>}
    </main>
  );
}

import type { ReactNode } from 'react';
import panel from './panel.module.css';
import classes from './section.module.css';

/** One titled panel of a screen that has several. */
export function Section(props: { title: string; tools?: ReactNode; children: ReactNode }) {
  return (
    <section className={`${panel.panel} ${classes.section}`} aria-label={props.title}>
      <div className={classes.head}>
        <h2>{props.title}</h2>
        {props.tools}
      </div>
      {props.children}
    </section>
  );
}

/** Text and controls of a section, not wider than reads well. */
export function SectionBody({ children }: { children: ReactNode }) {
  return <div className={classes.body}>{children}</div>;
}

/** The place of what is still on its way, or failed to come. */
export function SectionState({ children }: { children: ReactNode }) {
  return <div className={classes.state}>{children}</div>;
}

import type { ReactNode } from 'react';
import classes from './page-header.module.css';

export function PageHeader(props: { title: string; aside?: ReactNode; children?: ReactNode }) {
  return (
    <div className={classes.header}>
      <div className={classes.title}>
        <h1>{props.title}</h1>
        {props.aside}
      </div>
      {props.children !== undefined && <div className={classes.tools}>{props.children}</div>}
    </div>
  );
}

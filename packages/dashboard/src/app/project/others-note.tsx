import { Link } from '@tanstack/react-router';
import { plural } from '../../ui/format/count.ts';
import classes from './others-note.module.css';

/** Says that a list is narrowed to a project, and what of it is not shown; nothing when all of it is. */
export function OthersNote({ hidden, what }: { hidden: number; what: string }) {
  if (hidden === 0) return null;
  return (
    <p className={classes.note}>
      {plural(hidden, what)} of other projects or of the whole workspace {hidden === 1 ? 'is' : 'are'} not
      shown.{' '}
      <Link to="." search={(before: object) => ({ ...before, project: undefined })}>
        Show all
      </Link>
    </p>
  );
}

import { Link } from '@tanstack/react-router';
import { plural } from '../../ui/format/count.ts';
import classes from './others-note.module.css';

/** Says that a list is narrowed to a project, and what of it is not shown; nothing when all of it is. */
export function OthersNote({ all, shown, what }: { all: number; shown: number; what: string }) {
  const hidden = all - shown;
  if (hidden === 0) return null;
  return (
    <p className={classes.note}>
      {shown === 0 && `No ${what} is about this project. `}
      {plural(hidden, what)} of other projects or of the whole workspace {hidden === 1 ? 'is' : 'are'} not
      shown.{' '}
      <Link to="." search={(before: object) => ({ ...before, project: undefined })}>
        Show all
      </Link>
    </p>
  );
}

import { Button } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { ErrorState } from '../../ui/error-state.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './route-states.module.css';

export function RoutePending() {
  return (
    <div className={classes.center} aria-busy="true">
      <span className="sr-only">Loading</span>
      <SkeletonLines lines={3} />
    </div>
  );
}

export function RouteError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <div className={classes.center}>
      <ErrorState error={error} onRetry={() => void router.invalidate()} />
    </div>
  );
}

export function NotFound() {
  return (
    <div className={classes.center}>
      <h1>There is no page here</h1>
      <p className={classes.text}>The address may be mistyped, or the page belongs to a later version.</p>
      <Button component={Link} to="/" variant="default">
        Go to the overview
      </Button>
    </div>
  );
}

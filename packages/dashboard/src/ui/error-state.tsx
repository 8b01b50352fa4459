import { Button } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { CopyText } from './copy-text.tsx';
import classes from './error-state.module.css';

interface ErrorParts {
  message: string;
  requestId: string | null;
}

function partsOf(error: unknown): ErrorParts {
  if (error instanceof Error) {
    const requestId = 'requestId' in error && typeof error.requestId === 'string' ? error.requestId : null;
    return { message: error.message, requestId };
  }
  return { message: 'Something went wrong on this page.', requestId: null };
}

/** What failed, in the server's words, the request id to look it up by, and a way on. */
export function ErrorState(props: { error: unknown; onRetry?: () => void; title?: string }) {
  const { message, requestId } = partsOf(props.error);
  return (
    <div className={classes.root} role="alert">
      <IconAlertCircle size={20} className={classes.icon} aria-hidden />
      <div className={classes.body}>
        <p className={classes.title}>{props.title ?? 'This could not be loaded'}</p>
        <p className={classes.message}>{message}</p>
        {requestId !== null && (
          <p className={classes.id}>
            Request id <CopyText text={requestId} label="request id" />
          </p>
        )}
        {props.onRetry && (
          <Button size="xs" variant="default" onClick={props.onRetry} className={classes.retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** One line of the same, for forms. */
export function FormError({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { message, requestId } = partsOf(error);
  return (
    <div className={classes.form} role="alert">
      <IconAlertCircle size={16} className={classes.icon} aria-hidden />
      <span>
        {message}
        {requestId !== null && (
          <span className={classes.formId}>
            Request id <CopyText text={requestId} label="request id" />
          </span>
        )}
      </span>
    </div>
  );
}

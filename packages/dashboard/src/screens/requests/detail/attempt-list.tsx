import type { AttemptView } from '@tallygate/contract/api/usage';
import { CopyText } from '../../../ui/copy-text.tsx';
import { formatDuration } from '../../../ui/format/duration.ts';
import classes from './attempt-list.module.css';

/** Why this account, where the name of a strategy does not say it. */
const REASONS: Readonly<Record<string, string>> = {
  only: 'the only account for it',
  'last-resort': 'no other account was free',
  failover: 'after another account failed',
  retry: 'tried again',
  renewed: 'with a renewed credential',
  fallback: "the rule's next choice",
};

const reason = (chosenBy: string): string =>
  REASONS[chosenBy] ?? `chosen by ${chosenBy.replaceAll('-', ' ')}`;

/** Each upstream that was tried, in order. */
export function AttemptList({ attempts }: { attempts: AttemptView[] }) {
  return (
    <ol className={classes.list}>
      {attempts.map((attempt) => (
        <li key={attempt.index} className={classes.item} data-ok={attempt.outcome === 'ok'}>
          <p className={classes.line}>
            <span className={classes.name}>{attempt.account?.name ?? attempt.provider}</span>
            <span className={classes.outcome}>
              {attempt.outcome.replaceAll('_', ' ')}
              {attempt.httpStatus !== null && ` · ${attempt.httpStatus}`}
            </span>
            <span>
              {attempt.endedAt === null
                ? '–'
                : formatDuration(Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt))}
            </span>
          </p>
          {(attempt.chosenBy !== null || attempt.model !== null) && (
            <p className={classes.more}>
              {attempt.chosenBy !== null && reason(attempt.chosenBy)}
              {attempt.model !== null && ` · asked for ${attempt.model}`}
            </p>
          )}
          {(attempt.errorCode !== null || attempt.upstreamRequestId !== null) && (
            <p className={classes.more}>
              {attempt.errorCode !== null && <code>{attempt.errorCode}</code>}
              {attempt.upstreamRequestId !== null && (
                <CopyText text={attempt.upstreamRequestId} label="upstream request id" />
              )}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

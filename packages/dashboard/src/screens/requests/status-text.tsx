import type { RequestView } from '@tallygate/contract/api/usage';
import { STATUS_LABELS } from '../../app/url/request-status.ts';
import classes from './status-text.module.css';

const MEANING: Record<RequestView['status'], string> = {
  ok: 'A complete answer',
  client_error: 'The upstream refused the request (4xx)',
  upstream_error: 'The upstream failed, or the connection to it broke',
  timeout: 'The upstream did not answer in time',
  aborted: 'The client left before the answer was complete',
  rejected: 'Refused by the gate',
  interrupted: 'The gate stopped before the request ended',
};
/** In the list's narrow column; the whole name is in the title and read out. */
const SHORT: Partial<Record<RequestView['status'], string>> = {
  client_error: 'Client',
  upstream_error: 'Upstream',
};
const TONE: Record<RequestView['status'], 'good' | 'bad' | 'warn'> = {
  ok: 'good',
  client_error: 'bad',
  upstream_error: 'bad',
  timeout: 'bad',
  aborted: 'warn',
  rejected: 'bad',
  interrupted: 'warn',
};

/** The outcome in a word, the HTTP status beside it when it says more. */
export function StatusText({ row, long = false }: { row: RequestView; long?: boolean }) {
  const http =
    row.httpStatus !== null && row.status !== 'ok' && row.status !== 'aborted' ? row.httpStatus : null;
  const label = STATUS_LABELS[row.status];
  const shown = long ? label : http === null ? (SHORT[row.status] ?? label) : String(http);
  return (
    <span
      className={classes.status}
      data-tone={TONE[row.status]}
      title={`${label}${http === null ? '' : ` ${http}`}: ${MEANING[row.status]}${row.errorCode ? ` (${row.errorCode})` : ''}`}
    >
      <span className={classes.dot} aria-hidden />
      {shown}
      {long && http !== null && ` ${http}`}
      {shown !== label && !long && <span className="sr-only"> {label}</span>}
    </span>
  );
}

import type { RequestStatus } from '@tallygate/contract/usage';

/**
 * The outcomes of a request and their names on screen. Complete by its type: the list itself is not imported, because
 * its module brings the schema library along, which the first load does without.
 */
export const STATUS_LABELS: Record<RequestStatus, string> = {
  ok: 'OK',
  client_error: 'Client error',
  upstream_error: 'Upstream error',
  timeout: 'Timeout',
  aborted: 'Aborted',
  rejected: 'Rejected',
  interrupted: 'Interrupted',
};

export function isRequestStatus(value: string): value is RequestStatus {
  return Object.hasOwn(STATUS_LABELS, value);
}

import type { IncomingMessage } from 'node:http';
import type { SecurityKind } from '@tallygate/contract/api/security';
import type { ErrorCode } from '@tallygate/contract/errors';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import type { SecurityMonitor } from './security-monitor.ts';

/**
 * What counts as what. `session_required` is not here: every visitor who is not signed in gets one. A credential
 * that was sent and is wrong is another matter.
 */
const KIND_OF: Readonly<Partial<Record<ErrorCode, SecurityKind>>> = {
  invalid_credentials: 'login_failed',
  setup_code_invalid: 'login_failed',
  authentication_required: 'unauthorized',
  invalid_api_key: 'unauthorized',
  expired_api_key: 'unauthorized',
  permission_denied: 'forbidden',
  host_not_allowed: 'forbidden',
  csrf_failed: 'csrf_refused',
  login_throttled: 'throttled',
  rate_limited: 'throttled',
  egress_blocked: 'egress_blocked',
};
/** As many characters as the list of keys shows. */
const PREFIX_CHARS = 10;
/** Only what looks like one of our keys is noted: the beginning of somebody else's is none of our business. */
const OUR_KEY = /^(?:bearer +)?(tg_[A-Za-z0-9_-]{7})/i;

function keyPrefixOf({ headers }: IncomingMessage): string | null {
  const direct = KEY_HEADERS.map((name) => headers[name]).find((value) => typeof value === 'string');
  const sent = typeof direct === 'string' ? direct : headers.authorization;
  return OUR_KEY.exec(sent ?? '')?.[1]?.slice(0, PREFIX_CHARS) ?? null;
}

/** Counts a refusal, when it is one that tells something. `request` is null where it is not known any more. @param address of the client */
export function noteRefusal(
  monitor: SecurityMonitor,
  code: ErrorCode,
  request: IncomingMessage | null,
  address: string | null,
): void {
  const kind = KIND_OF[code];
  if (kind === undefined) return;
  if (request === null) return monitor.note({ kind });
  monitor.note({
    kind,
    address,
    keyPrefix: keyPrefixOf(request),
    host: request.headers.host ?? null,
  });
}

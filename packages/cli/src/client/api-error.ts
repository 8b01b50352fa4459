import type { ErrorCode } from '@tallygate/contract/errors';
import { CliError } from '../cli-error.ts';
import type { AdminAnswer, Target } from './transport.ts';

/** What to do about the codes where this program knows more than the server's own text says. */
const FIXES: Readonly<Partial<Record<ErrorCode, string>>> = {
  authentication_required: 'Set TALLYGATE_ADMIN_KEY, or name another variable with --admin-key-env.',
  invalid_api_key:
    'Check the variable that holds the admin key; "tallygate keys create --scopes admin" makes a new one.',
  expired_api_key:
    'Make a new one on the machine of the server: tallygate keys create --name cli --scopes admin',
  permission_denied:
    'This needs a key with the scope "admin": tallygate keys create --name cli --scopes admin',
  resource_not_found: 'The list command shows what there is.',
  setup_required:
    'Open the set-up link that the server printed, or start it with DASHBOARD_USERNAME and DASHBOARD_PASSWORD.',
};

interface Failure {
  /** A newer server may know codes that this program does not; they are passed on as they are. */
  code: ErrorCode;
  message: string;
  requestId: string | null;
  details: unknown;
}

function failureOf(json: unknown): Failure | null {
  if (typeof json !== 'object' || json === null || !('error' in json)) return null;
  const { error } = json;
  if (typeof error !== 'object' || error === null) return null;
  const { code, message, requestId, details } = error as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  return {
    code: code as ErrorCode,
    message,
    requestId: typeof requestId === 'string' ? requestId : null,
    details,
  };
}

/** Problems with single fields, one a line; the message names the first only. */
function furtherProblems(details: unknown): string | null {
  if (!Array.isArray(details) || details.length < 2) return null;
  const lines = details.slice(1).flatMap((problem: unknown) => {
    const { path, message } = (problem ?? {}) as Record<string, unknown>;
    return typeof path === 'string' && typeof message === 'string' ? [`${path} ${message}`] : [];
  });
  return lines.length === 0 ? null : `Also: ${lines.join('; ')}.`;
}

/** The server's error as this program's: code and message are the server's own. */
export function errorOfAnswer(answer: AdminAnswer, target: Target): CliError {
  const failure = failureOf(answer.json);
  if (failure === null) {
    return new CliError('bad_answer', `${target.description} answered ${answer.status} without saying why.`, {
      fix: 'Check that a Tallygate server of this version answers there: tallygate doctor',
    });
  }
  const fix = FIXES[failure.code];
  const request =
    failure.requestId === null ? null : `Request ${failure.requestId} to ${target.description}.`;
  const why = furtherProblems(failure.details) ?? request;
  return new CliError(failure.code, failure.message, {
    ...(why === null ? {} : { why }),
    ...(fix === undefined ? {} : { fix }),
    ...(failure.details === undefined ? {} : { details: failure.details }),
  });
}

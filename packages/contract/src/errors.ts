/**
 * The one error table: code → HTTP status → message. Every code has a page `docs/errors/<code>.md`; a check
 * compares both ways. Messages never carry secrets or input; details go into `param` or the caller's own text.
 */
export const ERROR_TABLE = {
  authentication_required: {
    status: 401,
    message: 'No API key was sent. Send it as "Authorization: Bearer <key>" or "x-api-key: <key>".',
  },
  invalid_api_key: { status: 401, message: 'This API key is not known here, or it was revoked.' },
  expired_api_key: { status: 401, message: 'This API key has expired. Ask whoever issued it for a new one.' },
  session_required: { status: 401, message: 'Sign in first.' },
  invalid_credentials: { status: 401, message: 'The user name or the password is wrong.' },
  second_factor_required: {
    status: 401,
    message: 'Signing in is not complete: the code of your second factor is still owed.',
  },
  second_factor_invalid: {
    status: 401,
    message:
      'That code is wrong, was used already, or is too old. Wait for the next one, or use a recovery code.',
  },
  second_factor_missing: {
    status: 403,
    message: 'Your role needs a second factor. Set one up under My security first.',
  },
  passkey_invalid: {
    status: 401,
    message:
      'This passkey was not accepted: it is not known here, was made for another address, or took too long. Try again, or sign in another way.',
  },
  sso_failed: {
    status: 401,
    message:
      'Signing in through your provider did not work. Try again; when it stays so, the log of the server says why.',
  },
  sso_not_allowed: {
    status: 403,
    message:
      'Your provider knows you, but you have no role here. Ask whoever runs this installation to let your group in.',
  },
  sso_name_taken: {
    status: 409,
    message:
      'A user with your name exists here already. If that is you, sign in with the password and connect your provider under My security.',
  },
  sso_connected: {
    status: 409,
    message: 'That account of your provider belongs to a user here already.',
  },
  sso_unavailable: {
    status: 503,
    message: 'Your identity provider cannot be reached, or does not answer as it should. Try again later.',
  },
  sso_required: {
    status: 403,
    message: 'You sign in through your identity provider; a passkey alone does not let you in.',
  },
  sign_in_again: {
    status: 403,
    message:
      'This needs a fresh sign-in: sign out, sign in through your provider, and do it within ten minutes.',
  },
  link_invalid: {
    status: 403,
    message: 'This link is wrong, was used already, or has expired. Ask whoever sent it for a new one.',
  },
  last_owner: {
    status: 409,
    message: 'This is the last owner who can sign in. Make somebody else an owner first.',
  },
  permission_denied: { status: 403, message: 'This credential may not do that.' },
  key_restricted: {
    status: 403,
    message: 'The limits of this API key do not allow this request.',
  },
  csrf_failed: {
    status: 403,
    message: 'The CSRF token is missing or does not belong to this session. Reload the page and try again.',
  },
  host_not_allowed: {
    status: 403,
    message: 'This server does not answer under that host name.',
  },
  client_not_allowed: {
    status: 403,
    message: 'This server does not answer clients of that address.',
  },
  tls_required: {
    status: 403,
    message:
      'This port answers no calls: it speaks plain HTTP. Use the https address. A credential that was sent here could be read on its way: replace it.',
  },
  setup_required: {
    status: 403,
    message: 'Nobody owns this installation yet. Open the set-up link that the terminal printed.',
  },
  setup_code_invalid: {
    status: 403,
    message: 'The set-up code is wrong or was used already. Restart the server to print a new one.',
  },
  setup_done: { status: 409, message: 'Set-up is complete: an owner exists.' },
  route_not_found: { status: 404, message: 'There is nothing at this path.' },
  resource_not_found: { status: 404, message: 'There is no such resource.' },
  method_not_allowed: { status: 405, message: 'This path does not answer that method.' },
  conflict: { status: 409, message: 'The resource is in a state that does not allow this.' },
  name_taken: { status: 409, message: 'That name is in use.' },
  request_too_large: { status: 413, message: 'The request body is larger than this server accepts.' },
  request_timeout: { status: 408, message: 'The request did not arrive in time.' },
  headers_too_large: {
    status: 431,
    message: 'The request headers are larger or more than this server accepts.',
  },
  unsupported_media_type: { status: 415, message: 'Send the body as application/json.' },
  invalid_json: { status: 400, message: 'The request body is not valid JSON.' },
  invalid_request: { status: 400, message: 'The request is not valid.' },
  not_translatable: {
    status: 400,
    message: 'The API of the account that serves this model has no place for a part of this request.',
  },
  weak_password: {
    status: 400,
    message:
      'That password is too short or too well known. Use at least 12 characters that are not a placeholder.',
  },
  login_throttled: { status: 429, message: 'Too many sign-in attempts. Wait before trying again.' },
  rate_limited: { status: 429, message: 'Too many requests.' },
  budget_exhausted: {
    status: 429,
    message: 'A budget does not have enough left for this request.',
  },
  budget_held: {
    status: 429,
    message: 'Requests on their way hold what is left of a budget. Try again in a moment.',
  },
  budget_unpriced: {
    status: 403,
    message: 'A budget in dollars covers this model, and the model has no known price.',
  },
  denied_by_rule: { status: 403, message: 'A rule of this gate refuses this request.' },
  upstream_key_required: {
    status: 401,
    message:
      'A rule of this gate sends this request with your own upstream credential. Send it in the x-tallygate-upstream-key header.',
  },
  no_account: {
    status: 503,
    message:
      'No upstream account is configured for this API. Add one under Accounts or with "tallygate accounts add".',
  },
  account_unavailable: {
    status: 503,
    message: 'Every upstream account that could serve this request is paused.',
  },
  account_needs_reauth: {
    status: 503,
    message:
      'The upstream account has to sign in again: its provider takes its tokens no longer. Whoever runs this gate can do that under Accounts or with "tallygate accounts login".',
  },
  oauth_token_unavailable: {
    status: 503,
    message:
      'The upstream account has no usable token right now, and its provider gave no new one. Try again in a moment.',
  },
  oauth_disabled: {
    status: 403,
    message:
      'Signing upstream accounts in with OAuth is off. Whoever runs this gate can turn it on with TALLYGATE_OAUTH_ACCOUNTS=true.',
  },
  oauth_session_invalid: {
    status: 400,
    message:
      'This sign-in is unknown, was used already, has expired, or the code belongs to another one. Begin again.',
  },
  oauth_failed: {
    status: 502,
    message: 'The provider gave no tokens for this sign-in. Begin again.',
  },
  accounts_limited: {
    status: 429,
    message:
      'Every upstream account that could serve this request has reached a limit of its provider. The retry-after header says when the first one is free again.',
  },
  limits_unavailable: {
    status: 503,
    message: 'The limits that the nodes of this gate share cannot be asked right now. Try again in a moment.',
  },
  upstream_overloaded: { status: 503, message: 'The upstream is overloaded. Try again in a moment.' },
  upstream_failed: { status: 502, message: 'The upstream reported an error of its own.' },
  upstream_connect_failed: { status: 502, message: 'The connection to the upstream could not be opened.' },
  upstream_connection_lost: {
    status: 502,
    message: 'The upstream closed the connection before its answer was complete.',
  },
  upstream_timeout: { status: 504, message: 'The upstream did not answer in time.' },
  egress_blocked: {
    status: 502,
    message: 'The upstream address is not a public one, and this account does not allow private addresses.',
  },
  upstream_pin_mismatch: {
    status: 502,
    message:
      'The upstream proved itself with a key that this account does not pin, so nothing was sent to it.',
  },
  bodies_too_large: {
    status: 503,
    message: 'The bodies of other requests take up all the memory there is for them. Try again in a moment.',
  },
  shutting_down: { status: 503, message: 'The server is stopping. Try again in a moment.' },
  journal_unavailable: {
    status: 503,
    message:
      'The journal cannot be written, so requests are refused rather than lost. Check the disk of the data directory.',
  },
  audit_unavailable: {
    status: 503,
    message:
      'The audit log cannot be written, and an act of this kind is never done without a record. Check the store.',
  },
  traffic_paused: {
    status: 503,
    message: 'The operator of this gate has paused all traffic. Nothing was sent upstream. Try again later.',
  },
  store_unavailable: { status: 503, message: 'The store does not answer.' },
  internal_error: {
    status: 500,
    message: 'Something went wrong here. The request id below is in the server log.',
  },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Body of every error that our own API (not a provider dialect) answers. */
export interface ApiErrorBody {
  error: { code: ErrorCode; message: string; requestId: string; docs: string; details?: unknown };
}

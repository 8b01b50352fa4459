import type { ErrorCode } from '@tallygate/contract/errors';

/** Exit codes, documented in docs/cli.md: scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** This program's own codes, beside those of the API's error table; docs/cli.md is generated from them. */
export const CLI_ERROR_CODES = {
  usage_error: 'The command line is wrong.',
  invalid_configuration: 'A setting is wrong; `details` names each.',
  credential_missing: 'A variable or standard input that should hold a key does not.',
  data_directory_missing: 'There is nothing at the data directory to read.',
  data_directory_busy: 'A server holds the data directory, but does not answer.',
  start_failed: 'The server could not start.',
  no_server: 'The command needs a running server, and none runs on this data directory.',
  server_unreachable: 'The connection to the server failed.',
  server_timeout: 'The server did not answer in time.',
  bad_answer: 'What answered is not a Tallygate server of this version.',
  control_socket_denied: 'The local server belongs to another user.',
  control_socket_untrusted: 'The folder of the control socket is open to other users.',
  ambiguous_name: 'Several things have that name; give the id.',
  client_settings_invalid: "A client's settings file cannot be merged into; it was left as it is.",
  invalid_file: 'A file that was named cannot be read, or does not hold what it should.',
  backup_missing: 'There is no backup file at that path.',
} as const satisfies Record<string, string>;

export type CliErrorCode = keyof typeof CLI_ERROR_CODES | ErrorCode;

/**
 * A failure that a person can act on: `message` says what happened, `why` the cause, `fix` what to do.
 * None of them may carry a secret. Rendered once, by `renderError`.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** A code of the API's error table, or one of this program's own (docs/cli.md lists them). */
  readonly code: CliErrorCode;
  readonly why: string | null;
  readonly fix: string | null;
  readonly exitCode: number;
  readonly details: unknown;

  constructor(
    code: CliErrorCode,
    message: string,
    extra: { why?: string; fix?: string; exitCode?: number; details?: unknown; cause?: unknown } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.code = code;
    this.why = extra.why ?? null;
    this.fix = extra.fix ?? null;
    this.exitCode = extra.exitCode ?? EXIT.failed;
    this.details = extra.details;
  }
}

/** The command line itself is wrong: exit code 2, code `usage_error`. */
export function usageError(message: string, fix?: string): CliError {
  return new CliError('usage_error', message, {
    exitCode: EXIT.usage,
    ...(fix === undefined ? {} : { fix }),
  });
}

/** Exit codes, documented in docs/cli.md: scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/**
 * A failure that a person can act on: `message` says what happened, `why` the cause, `fix` what to do.
 * None of them may carry a secret. Rendered once, by `renderError`.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** A code of the API's error table, or one of this program's own (docs/cli.md lists them). */
  readonly code: string;
  readonly why: string | null;
  readonly fix: string | null;
  readonly exitCode: number;
  readonly details: unknown;

  constructor(
    code: string,
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

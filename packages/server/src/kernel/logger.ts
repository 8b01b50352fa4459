import { pino } from 'pino';

/** Fields that may be logged. An allow-list, so that nothing sensitive is logged by accident (TW-14). */
export interface LogFields {
  requestId?: string;
  code?: string;
  status?: number;
  route?: string;
  method?: string;
  provider?: string;
  accountId?: string;
  keyId?: string;
  userId?: string;
  durationMs?: number;
  count?: number;
  bytes?: number;
  segment?: number;
  offset?: number;
  port?: number;
  address?: string;
  path?: string;
  reason?: string;
  signal?: string;
  /** Only the error's class name and code are written, never its message: messages may quote input. */
  error?: unknown;
}

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = (error as { code?: unknown }).code;
  const described: Record<string, unknown> = { name: error.name };
  if (typeof code === 'string' || typeof code === 'number') described.code = code;
  const frame = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  if (frame) described.at = frame.trim().slice(3);
  return described;
}

/** The same list for the program as it runs: a field that got past the types is dropped, not written. */
export const LOG_FIELDS = [
  'requestId',
  'code',
  'status',
  'route',
  'method',
  'provider',
  'accountId',
  'keyId',
  'userId',
  'durationMs',
  'count',
  'bytes',
  'segment',
  'offset',
  'port',
  'address',
  'path',
  'reason',
  'signal',
] as const satisfies (keyof LogFields)[];

function writable(fields: LogFields | undefined): Record<string, unknown> {
  if (fields === undefined) return {};
  const allowed: Record<string, unknown> = {};
  for (const name of LOG_FIELDS) if (fields[name] !== undefined) allowed[name] = fields[name];
  if (fields.error !== undefined) allowed.error = describeError(fields.error);
  return allowed;
}

/** Where lines go besides standard error. It must not throw and not wait. */
export interface LogSink {
  write(line: string): void;
}

/** A logger that writes JSON lines to standard error (standard output belongs to the CLI), and to `file` as well. */
export function createLogger(level: LogLevel, file: LogSink | null = null): Logger {
  const stderr = pino.destination({ dest: 2, sync: false });
  const both: LogSink = {
    write(line) {
      stderr.write(line);
      file?.write(line);
    },
  };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const log = file === null ? pino(options, stderr) : pino(options, both);
  return {
    debug: (message, fields) => log.debug(writable(fields), message),
    info: (message, fields) => log.info(writable(fields), message),
    warn: (message, fields) => log.warn(writable(fields), message),
    error: (message, fields) => log.error(writable(fields), message),
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

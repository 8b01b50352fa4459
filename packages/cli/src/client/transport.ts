/** One call of the administrative API. */
export interface AdminRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Begins with `/api/`; parts that come from people are percent-encoded by the caller. */
  path: string;
  query?: Record<string, string | string[]>;
  body?: unknown;
  /** How long the answer may take; 30 s unless told. */
  timeoutMs?: number;
}

export interface AdminAnswer {
  status: number;
  /** The parsed body; null when there was none. */
  json: unknown;
}

/** One event of a server-sent event stream. */
export interface StreamEvent {
  id: string | null;
  event: string;
  data: string;
}

/** How the server is reached, in words for people. */
export interface Target {
  kind: 'local' | 'remote' | 'in-process';
  description: string;
}

/** A way to the administrative API. Three implement it: HTTP over a socket, HTTP over the network, in this process. */
export interface AdminTransport {
  readonly target: Target;
  /** @throws CliError `server_unreachable`, `server_timeout`, `bad_answer` */
  request(request: AdminRequest): Promise<AdminAnswer>;
  /**
   * Opens an event stream; resolves once the server has begun to answer.
   * @throws CliError `no_server` where nothing runs that could stream
   */
  stream(request: StreamRequest): Promise<AsyncIterable<StreamEvent>>;
  close(): Promise<void>;
}

export interface StreamRequest {
  path: string;
  query?: Record<string, string | string[]>;
  lastEventId?: string;
  /** Ends the stream. */
  signal: AbortSignal;
}

/** Names the workspace of a call that comes through the owner-only socket; the server takes it from nowhere else. */
export const workspaceHeader = (workspace: string | undefined): Record<string, string> =>
  workspace === undefined ? {} : { 'x-tallygate-workspace': workspace };

/** `{a: ['x','y']}` → `?a=x&a=y`; empty when there is nothing. */
export function queryText(query: Record<string, string | string[]> | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) params.append(name, item);
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

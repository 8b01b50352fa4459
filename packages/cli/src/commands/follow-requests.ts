import { setTimeout as delay } from 'node:timers/promises';
import { type RequestView, requestRow } from '@tallygate/contract/api/usage';
import { CliError } from '../cli-error.ts';
import type { AdminApi, Query } from '../client/admin-api.ts';
import type { StreamEvent } from '../client/transport.ts';
import type { CommandContext } from '../context.ts';
import { type Column, displayWidth, renderTable } from '../output/table.ts';

/** Reconnects in a row without an event between them before giving up: about half a minute. */
const MAX_RECONNECTS = 10;
const RECONNECT_MS = 3000;
const MAX_SHOWN_IDS = 5000;
/** One page of the list. */
const MAX_EARLIER = 500;

interface FollowOptions {
  query: Query;
  /** How many earlier requests to show first. */
  limit: number;
  columns: readonly Column<RequestView>[];
}

/** Rows that come one by one cannot be measured together: widths come from the first rows and only grow. */
function rowWriter(context: CommandContext, columns: readonly Column<RequestView>[]) {
  const widths = columns.map((column) => displayWidth(column.header));
  const fixed = columns.map((column, i): Column<RequestView> => {
    const value = (row: RequestView) => {
      const text = column.value(row);
      widths[i] = Math.max(widths[i] ?? 0, displayWidth(text));
      const fill = ' '.repeat((widths[i] ?? 0) - displayWidth(text));
      return column.align === 'right' ? fill + text : text + fill;
    };
    return { ...column, value };
  });
  let headed = false;
  return (rows: readonly RequestView[]): void => {
    if (rows.length === 0) return;
    const text = renderTable(
      rows,
      context.terminal.outIsTerminal ? fixed : columns,
      context.terminal.outIsTerminal,
    );
    context.terminal.writeOut(headed ? text.slice(text.indexOf('\n') + 1) : text);
    headed = true;
  };
}

function parseRow(event: StreamEvent): RequestView | null {
  if (event.event !== 'request' && event.event !== 'message') return null;
  const parsed = requestRow.safeParse(JSON.parse(event.data));
  return parsed.success ? parsed.data : null;
}

/** A stream that reconnects where it left off. */
class ResumingStream {
  readonly #api: AdminApi;
  readonly #query: Query;
  readonly #signal: AbortSignal;
  #lastEventId: string | undefined;
  #failures = 0;

  constructor(api: AdminApi, query: Query, signal: AbortSignal) {
    this.#api = api;
    this.#query = query;
    this.#signal = signal;
  }

  /**
   * Events until the signal ends them or the server stays away. `opened` is awaited after a connection that
   * had no event to resume from: what was committed before it is not in it.
   */
  async *events(opened: () => Promise<void>): AsyncGenerator<StreamEvent> {
    while (!this.#signal.aborted) {
      try {
        yield* this.#oneConnection(opened);
      } catch (error) {
        this.#judge(error);
      }
      await delay(RECONNECT_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  async *#oneConnection(opened: () => Promise<void>): AsyncGenerator<StreamEvent> {
    const resume = this.#lastEventId === undefined ? {} : { lastEventId: this.#lastEventId };
    const stream = await this.#api.usage.requestStream({
      query: this.#query,
      signal: this.#signal,
      ...resume,
    });
    if (this.#lastEventId === undefined) await opened();
    for await (const event of stream) {
      this.#failures = 0;
      this.#lastEventId = event.id ?? this.#lastEventId;
      yield event;
    }
  }

  /** A refusal is final; a lost connection is tried again for a while. */
  #judge(error: unknown): void {
    if (this.#signal.aborted) return;
    const code = error instanceof CliError ? error.code : (error as NodeJS.ErrnoException).code;
    const lost = ['server_unreachable', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '');
    this.#failures += 1;
    if (!lost || this.#failures > MAX_RECONNECTS) throw error;
  }
}

/** Remembers the ids shown last; far more than ever come twice. */
class ShownIds {
  readonly #ids = new Set<string>();

  /** @returns false when it was shown before */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > MAX_SHOWN_IDS && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}

/**
 * Shows the last requests, oldest first, then every new one until Ctrl-C. The stream is opened before the
 * last ones are read, so that none falls between; one that comes both ways is shown once.
 */
export async function followRequests(context: CommandContext, options: FollowOptions): Promise<void> {
  const api = await context.connect('read');
  const stop = new AbortController();
  const forget = context.terminal.onInterrupt(() => stop.abort());
  const write = context.json
    ? (rows: readonly RequestView[]) => rows.forEach((row) => void context.line(JSON.stringify(row)))
    : rowWriter(context, options.columns);
  const shown = new ShownIds();
  const { from: _from, ...filters } = options.query;
  const showEarlier = async () => {
    const limit = String(Math.min(options.limit, MAX_EARLIER));
    const page = await api.usage.requests({ ...options.query, limit });
    write(page.requests.toReversed().filter((row) => shown.add(row.id)));
  };
  try {
    const stream = new ResumingStream(api, filters, stop.signal);
    for await (const event of stream.events(showEarlier)) {
      const row = parseRow(event);
      if (row !== null && shown.add(row.id)) write([row]);
    }
  } finally {
    forget();
  }
}

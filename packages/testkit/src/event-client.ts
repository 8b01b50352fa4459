import { type IncomingHttpHeaders, request } from 'node:http';

export interface ReceivedEvent {
  event: string;
  id: string | null;
  data: Record<string, unknown>;
}
export interface EventClient {
  status: number;
  headers: IncomingHttpHeaders;
  /** Everything received so far, comments included. */
  raw(): string;
  /** The next event; rejects when the stream ended. */
  next(): Promise<ReceivedEvent>;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  close(): void;
  /** Stops or goes on reading from the socket. */
  pause(): void;
  resume(): void;
}

function parseEvent(block: string): ReceivedEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const data = fields.get('data');
  if (data === undefined) return null;
  return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data: JSON.parse(data) };
}

/** Opens an event stream as a client that reads everything. */
export function openEvents(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
      const events: ReceivedEvent[] = [];
      const waiting: { resolve(event: ReceivedEvent): void; reject(error: Error): void }[] = [];
      let text = '';
      let rest = '';
      let over = false;
      let end: () => void = () => undefined;
      const ended = new Promise<void>((done) => {
        end = done;
      });
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const event of blocks.map(parseEvent)) {
          if (event === null) continue;
          const waiter = waiting.shift();
          if (waiter) waiter.resolve(event);
          else events.push(event);
        }
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        over = true;
        end();
        for (const waiter of waiting.splice(0)) waiter.reject(new Error('the stream ended'));
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        raw: () => text,
        next: () => {
          const event = events.shift();
          if (event) return Promise.resolve(event);
          if (over) return Promise.reject(new Error('the stream ended'));
          return new Promise((done, failed) => waiting.push({ resolve: done, reject: failed }));
        },
        ended,
        close: () => outgoing.destroy(),
        pause: () => response.pause(),
        resume: () => response.resume(),
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

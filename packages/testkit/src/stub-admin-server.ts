import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as it arrived. */
export interface StubCall {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** Parsed; null when there was none. */
  body: unknown;
}

export interface StubAnswer {
  status?: number;
  json?: unknown;
  /** Sent instead of JSON. */
  text?: string;
  headers?: Record<string, string>;
}

/** Answers one route; with the raw response it may do as it likes (streams), and then returns nothing. */
export type StubRoute = (call: StubCall, response: ServerResponse) => StubAnswer | undefined;

export interface StubAdminServer {
  /** Empty when it listens on a socket file. */
  url: string;
  calls: StubCall[];
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return text === '' ? null : JSON.parse(text);
}

/**
 * A real HTTP server, on a socket file or a loopback port, that answers what the test says: routes by
 * `METHOD /path`, everything else 404 as the real one does. Records every call.
 */
export async function startStubAdminServer(
  routes: Readonly<Record<string, StubRoute>>,
  listen: { socketPath: string } | { port: 0 } = { port: 0 },
): Promise<StubAdminServer> {
  const calls: StubCall[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub');
    const call: StubCall = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: await readBody(request),
    };
    calls.push(call);
    const route = routes[`${call.method} ${call.path}`];
    const error = {
      code: 'route_not_found',
      message: 'There is nothing at this path.',
      requestId: 'stub',
      docs: '',
    };
    const answer = route === undefined ? { status: 404, json: { error } } : route(call, response);
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.text ?? JSON.stringify(answer.json));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if ('socketPath' in listen) server.listen(listen.socketPath, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: typeof address === 'object' && address ? `http://127.0.0.1:${(address as AddressInfo).port}` : '',
    calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/**
 * The yardstick: the fastest plain proxy we know how to write in Node (`node:http` in front, one
 * `undici` pool behind, `dispatch` straight into the response, back-pressure both ways). It forwards and does
 * nothing else: no keys, no accounting. Run as its own process; prints its port over IPC.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Dispatcher, Pool } from 'undici';

const upstream = process.argv[2];
if (!upstream) throw new Error('usage: bare-proxy.ts <upstream URL>');
const pool = new Pool(upstream, {
  connections: 2048,
  pipelining: 1,
  headersTimeout: 60_000,
  bodyTimeout: 60_000,
});

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
]);

function requestHeaders(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && lower !== 'content-length') kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

function answerInto(response: ServerResponse): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | null = null;
  response.on('drain', () => controller?.resume());
  response.on('close', () => {
    if (!response.writableFinished) controller?.abort(new Error('client gone'));
  });
  return {
    onRequestStart(started) {
      controller = started;
    },
    onResponseStart(_started, status, headers) {
      for (const name of HOP_BY_HOP) delete headers[name];
      response.writeHead(status, headers as Record<string, string>);
    },
    onResponseData(started, bytes) {
      if (!response.write(bytes)) started.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  };
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (bytes: Buffer) => parts.push(bytes));
  request.on('end', () => {
    pool.dispatch(
      {
        method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
        path: request.url ?? '/',
        headers: requestHeaders(request.rawHeaders),
        body: parts.length === 1 ? (parts[0] ?? null) : parts.length === 0 ? null : Buffer.concat(parts),
      },
      answerInto(response),
    );
  });
}

const server = createServer({ keepAliveTimeout: 60_000 }, forward);
const RESOLUTION_MS = 10;
const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
loopDelay.enable();
/** The histogram holds whole intervals: what exceeds the sampling interval is the delay. */
const delayMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () =>
  process.send?.({ loopDelayMs: { p999: delayMs(loopDelay.percentile(99.9)), max: delayMs(loopDelay.max) } }),
);
process.on('disconnect', () => process.exit(0));

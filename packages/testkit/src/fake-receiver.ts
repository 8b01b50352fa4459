import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually.ts';

export interface ReceivedCall {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Somebody's receiver of webhooks, that answers as it is told. */
export interface FakeReceiver {
  url: string;
  calls: ReceivedCall[];
  /** What the next calls are answered with; `hang` never answers. */
  answer: { status: number; headers?: Record<string, string> } | 'hang';
  /** Waits until this many calls have come. */
  until(count: number, timeoutMs?: number): Promise<ReceivedCall[]>;
  stop(): Promise<void>;
}

export async function startFakeReceiver(port = 0): Promise<FakeReceiver> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      calls.push({ path: request.url ?? '', headers: request.headers, body });
      if (receiver.answer === 'hang') return;
      response.writeHead(receiver.answer.status, receiver.answer.headers);
      response.end('taken');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const receiver: FakeReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answer: { status: 200 },
    until: (count, timeoutMs = 60_000) =>
      eventually(`${count} calls at the receiver`, () => calls.length >= count && [...calls], timeoutMs),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

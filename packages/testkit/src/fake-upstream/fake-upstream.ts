import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createExchange, type Responder } from './exchange.ts';
import { createRecorder, type RecordedRequest, type RequestRecorder } from './recorded-request.ts';
import { createRequestParser } from './request-parser.ts';

/** A scripted upstream on a real socket that records every request byte-exact. */
export interface FakeUpstream {
  readonly url: string;
  readonly port: number;
  /** Every request received, in order of arrival. */
  readonly requests: RecordedRequest[];
  /** Answers every request from now on. */
  respond(responder: Responder): void;
  /** Answers the next request only; several queue up. */
  respondOnce(responder: Responder): void;
  /** Resolves with the next request that is not yet taken (arrived or to come). */
  nextRequest(): Promise<RecordedRequest>;
  /** Forgets recorded and taken requests, and queued responders. */
  clear(): void;
  openConnections(): number;
  stop(): Promise<void>;
}

export interface FakeUpstreamOptions {
  /** Answers as soon as the head has arrived instead of after the whole body. */
  answerAtHead?: boolean;
  /** Never reads a request body: the peer's writes meet back-pressure. */
  neverReadBody?: boolean;
}

interface State {
  requests: RecordedRequest[];
  queue: Responder[];
  responder: Responder;
  taken: number;
  waiters: ((request: RecordedRequest) => void)[];
}

function serveConnection(socket: Socket, number: number, state: State, options: FakeUpstreamOptions): void {
  const gone = Promise.withResolvers<number>();
  const leave = (): void => gone.resolve(performance.now());
  let recorder: RequestRecorder | null = null;
  // Pipelined requests are answered in order.
  let answered: Promise<unknown> = Promise.resolve();
  const answer = (request: RecordedRequest): void => {
    const responder = state.queue.shift() ?? state.responder;
    const exchange = createExchange(request, socket);
    answered = answered.then(() => responder(exchange)).catch(() => socket.destroy());
  };
  const parse = createRequestParser({
    head(head) {
      recorder = createRecorder(head, number, gone.promise);
      const { request } = recorder;
      state.requests.push(request);
      const waiter = state.waiters.shift();
      if (waiter) {
        state.taken++;
        waiter(request);
      }
      if (options.neverReadBody) socket.pause();
      if (options.answerAtHead || options.neverReadBody) answer(request);
    },
    body: (decoded, raw) => recorder?.addBody(decoded, raw),
    end() {
      recorder?.end();
      if (recorder && !options.answerAtHead && !options.neverReadBody) answer(recorder.request);
    },
  });
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => {
    try {
      parse(bytes);
    } catch {
      socket.destroy();
    }
  });
  socket.on('end', () => {
    leave();
    socket.end();
  });
  socket.on('error', leave);
  socket.on('close', leave);
}

/**
 * Starts a fake upstream on 127.0.0.1 and a free port. Until told otherwise it answers 500, so that a test
 * which forgot its script sees it.
 */
export async function startFakeUpstream(
  responder?: Responder,
  options: FakeUpstreamOptions = {},
): Promise<FakeUpstream> {
  const state: State = {
    requests: [],
    queue: [],
    responder: responder ?? ((e) => e.answer(500, [['Content-Type', 'text/plain']], 'no script')),
    taken: 0,
    waiters: [],
  };
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, ++connections, state, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: state.requests,
    respond(next) {
      state.responder = next;
    },
    respondOnce: (next) => void state.queue.push(next),
    nextRequest() {
      const arrived = state.requests[state.taken];
      if (arrived) {
        state.taken++;
        return Promise.resolve(arrived);
      }
      return new Promise((resolve) => state.waiters.push(resolve));
    },
    clear() {
      state.requests.length = 0;
      state.queue.length = 0;
      state.taken = 0;
    },
    openConnections: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

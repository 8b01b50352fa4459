import { createConnection, type Socket } from 'node:net';

export interface KeptConnection {
  socket: Socket;
  /** Everything that came until the server closed the connection, and when that was. */
  closed: Promise<{ text: string; afterMs: number }>;
}

/** A connection that is kept open from this side: it ends when the server ends it. */
export function keepOpen(port: number, bytes: string | Buffer = ''): KeptConnection {
  const startedMs = performance.now();
  const socket = createConnection(port, '127.0.0.1');
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.write(bytes);
  // Not `once` of node:events, which rejects on `error`: a reset is one of the ways to be closed.
  const closed = new Promise<Awaited<KeptConnection['closed']>>((resolve) => {
    socket.once('close', () => resolve({ text, afterMs: performance.now() - startedMs }));
  });
  return { socket, closed };
}

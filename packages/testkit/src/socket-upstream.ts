import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One connection of an upstream that is told what to send byte by byte. */
export interface UpstreamSocket {
  socket: Socket;
  /** Everything that came, one character a byte. */
  received: string;
  /** Requests that came whole. */
  requests: number;
}

export interface SocketUpstream {
  port: number;
  origin: string;
  /** All there were, in order. */
  connections: UpstreamSocket[];
  close(): void;
}

/** Length of the first request in a text; null while it is not whole. */
function requestLength(text: string): number | null {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const announced = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, headEnd + 2))?.[1] ?? '0';
  const length = headEnd + 4 + Number(announced);
  return text.length >= length ? length : null;
}

/** An upstream on a plain socket: `onRequest` is called for every request that came whole and answers as it likes. */
export async function socketUpstream(
  onRequest: (connection: UpstreamSocket) => void = () => undefined,
): Promise<SocketUpstream> {
  const connections: UpstreamSocket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const connection: UpstreamSocket = { socket, received: '', requests: 0 };
    connections.push(connection);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      connection.received += text;
      rest += text;
      for (let length = requestLength(rest); length !== null; length = requestLength(rest)) {
        rest = rest.slice(length);
        connection.requests += 1;
        onRequest(connection);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    connections,
    close() {
      for (const { socket } of connections) socket.destroy();
      server.close();
    },
  };
}

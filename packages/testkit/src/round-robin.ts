import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A load balancer that knows nothing of what it carries: each connection goes to the next server that takes it. */
export interface RoundRobin {
  readonly port: number;
  stop(): Promise<void>;
}

/** Longer than a connection on one machine takes; a server that was stopped takes none once its queue is full. */
const CONNECT_MS = 2_000;

/** @param targets ports of the servers as they are now; asked for each connection */
export async function startRoundRobin(targets: () => readonly number[]): Promise<RoundRobin> {
  const sockets = new Set<Socket>();
  let next = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const carry = (client: Socket, triesLeft: number): void => {
    const ports = targets();
    const port = ports[next++ % ports.length];
    if (port === undefined || triesLeft === 0) return void client.destroy();
    const server = connect(port, '127.0.0.1');
    keep(server);
    const timer = setTimeout(() => server.destroy(), CONNECT_MS);
    server.once('connect', () => {
      clearTimeout(timer);
      server.removeListener('close', again);
      client.once('close', () => server.destroy());
      server.once('close', () => client.destroy());
      client.pipe(server);
      server.pipe(client);
    });
    function again(): void {
      clearTimeout(timer);
      if (!client.destroyed) carry(client, triesLeft - 1); // nothing was sent yet
    }
    server.once('close', again);
  };
  const server = createServer({ pauseOnConnect: true }, (client) => {
    keep(client);
    client.setNoDelay(true);
    carry(client, targets().length);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

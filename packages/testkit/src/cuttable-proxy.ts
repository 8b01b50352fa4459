import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A plain TCP proxy that plays what networks do. */
export interface CuttableProxy {
  readonly port: number;
  /** Bytes vanish in both directions; connections stay. */
  silence(): void;
  /** What is sent arrives, what is answered does not. */
  swallowAnswers(): void;
  /** The connections of now are dead without a word to either side; new ones pass: a firewall that was started anew. */
  forget(): void;
  /** What is sent on the connections of now arrives only after `go`. */
  stall(): void;
  go(): void;
  /** Everything passes again; connections that were silent are broken, as a network that comes back does. */
  heal(): void;
  /** Breaks every connection and takes no new ones until `heal`. */
  refuse(): void;
  stop(): Promise<void>;
}

type Mode = 'pass' | 'silent' | 'swallow' | 'refuse';

export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  let mode: Mode = 'pass';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    if (mode === 'refuse') return void client.destroy();
    clients.add(client);
    client.once('close', () => clients.delete(client));
    const upstream = connect(targetPort, '127.0.0.1');
    keep(client);
    keep(upstream);
    client.on('data', (bytes) => mode !== 'silent' && upstream.write(bytes));
    upstream.on('data', (bytes) => mode === 'pass' && client.write(bytes));
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    silence: () => {
      mode = 'silent';
    },
    swallowAnswers: () => {
      mode = 'swallow';
    },
    forget: () => {
      for (const socket of sockets) socket.pause();
    },
    stall: () => {
      for (const client of clients) client.pause();
    },
    go: () => {
      for (const client of clients) client.resume();
    },
    heal: () => {
      if (mode !== 'pass') breakAll();
      mode = 'pass';
    },
    refuse: () => {
      mode = 'refuse';
      breakAll();
    },
    async stop() {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}

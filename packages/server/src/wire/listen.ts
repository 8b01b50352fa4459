import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { portOwner } from './port-owner.ts';

/** Why the server cannot listen; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') {
    const owner = portOwner(port);
    const by = owner === null ? 'another program' : owner;
    return `Port ${port} is taken by ${by}. Stop it, or choose another port with --port or PORT.`;
  }
  if (error.code === 'EACCES')
    return `Port ${port} may not be used by this user. Choose one above 1023 with --port or PORT.`;
  if (error.code === 'EADDRNOTAVAIL')
    return `This machine has no address ${host}. Set HOST to one of its own, or leave it out.`;
  return `Cannot listen on ${host}:${port} (${error.code ?? error.message}).`;
}

function once(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

/**
 * Listens on TCP.
 * @returns the port, which differs from the asked one when that was 0
 * @throws ListenError that names who holds the port
 */
export async function listenTcp(server: Server, host: string, port: number): Promise<number> {
  try {
    await once(server, () => server.listen({ host, port, backlog: 1024 }));
  } catch (error) {
    throw new ListenError(explain(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  return (server.address() as AddressInfo).port;
}

/**
 * Listens on the owner-only socket. A file left behind by a dead process is removed: the caller holds the lock of
 * the data directory, so nobody else can be listening.
 */
export async function listenControl(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  await once(server, () => server.listen({ path }));
  chmodSync(path, 0o600);
}

/** Stops accepting, ends idle connections, waits for the rest within the bound, then cuts them. */
export function closeServer(server: Server, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), withinMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

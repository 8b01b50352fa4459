import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Config } from '@tallygate/server/config/settings';

/** One address that the server listens on. */
export interface Listener {
  /** Ends the ids of its checks: nothing for the first, `_admin` for the other. */
  suffix: '' | '_admin';
  /** As the subject of a sentence. */
  what: string;
  host: string;
  port: number;
  tls: boolean;
}

/** The public listener, and the one of the dashboard where that has an address of its own. One certificate is for both. */
export function listenersOf({ host, port, adminListen, tlsCertFile }: Config): Listener[] {
  const tls = tlsCertFile !== null;
  const first: Listener = { suffix: '', what: 'It', host, port, tls };
  if (adminListen === null) return [first];
  const what = 'The dashboard with its API (ADMIN_LISTEN)';
  return [first, { suffix: '_admin', what, ...adminListen, tls }];
}

export const LOOPBACK = /^(localhost|::1|\[::1\]|127\.\d+\.\d+\.\d+)$/;

/** What our own listener answers about its health; null when nothing does. Nothing secret is asked, so its certificate may be made out to any name. */
export function askHealth(
  { host, port, tls }: Listener,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders } | null> {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const options = { host: address, port, path: '/healthz', agent: false, timeout: 5_000, headers } as const;
  return new Promise((resolve) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    };
    const asked = tls
      ? httpsGet({ ...options, rejectUnauthorized: false }, answered)
      : httpGet(options, answered);
    asked.on('timeout', () => asked.destroy()).on('error', () => resolve(null));
  });
}

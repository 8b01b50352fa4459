import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Listener } from './listeners.ts';

/**
 * What our own listener answers about its health; null when nothing does. The address comes from settings alone. Nothing
 * secret is asked, so its certificate may be made out to
 * any name.
 */
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

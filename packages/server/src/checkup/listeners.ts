import type { Config } from '../config/settings.ts';

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

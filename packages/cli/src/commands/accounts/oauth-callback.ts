import { createServer } from 'node:http';
import { CliError } from '../../cli-error.ts';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Tallygate</title><p>That is all: go back to the terminal.';

/** True for a redirect address of this machine that names a port, over plain http: one that can be waited for here. */
export function isLoopbackCallback(redirectUri: string): boolean {
  const url = new URL(redirectUri);
  return (
    url.protocol === 'http:' &&
    url.port !== '' &&
    (url.hostname === '127.0.0.1' || url.hostname === 'localhost' || url.hostname === '[::1]')
  );
}

export interface AwaitedCallback {
  /** The address that the browser came to, with the code in it. */
  address: Promise<string>;
  /** Stops waiting. */
  cancel(): void;
}

/**
 * Waits for the browser at a redirect address of this machine (RFC 8252 §7.3). Only loopback is listened on, only
 * that path is answered, and only a call that carries a code ends it.
 * @throws CliError when the port is taken
 */
export async function waitForCallback(redirectUri: string, untilMs: number): Promise<AwaitedCallback> {
  const { hostname, port, pathname } = new URL(redirectUri);
  const arrived = Promise.withResolvers<string>();
  arrived.promise.catch(() => undefined); // it may be cancelled before anybody waits
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', redirectUri);
    if (request.method !== 'GET' || url.pathname !== pathname) return void response.writeHead(404).end();
    const failed = url.searchParams.get('error');
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' }).end(PAGE);
    if (url.searchParams.has('code')) arrived.resolve(url.href);
    else if (failed !== null) {
      const shown = /^[a-z_]{1,40}$/.test(failed) ? ` (${failed})` : '';
      arrived.reject(new CliError('oauth_failed', `The provider refused the sign-in${shown}.`));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(
        new CliError(
          'oauth_failed',
          `Port ${port} of this machine, where the provider is to come back, is taken.`,
          {
            fix: 'End what uses it, or register and give another --redirect-uri.',
          },
        ),
      ),
    );
    server.listen(Number(port), hostname === '[::1]' ? '::1' : '127.0.0.1', resolve);
  });
  const giveUp = () => arrived.reject(new CliError('oauth_failed', 'Nobody came back with a code in time.'));
  const timer = setTimeout(giveUp, Math.max(0, untilMs - Date.now()));
  return {
    address: arrived.promise,
    cancel() {
      clearTimeout(timer);
      giveUp();
      server.close();
      server.closeAllConnections();
    },
  };
}

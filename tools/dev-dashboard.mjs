// The dashboard from its sources, reloading on change, in front of the development server. Part of `npm run dev`.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { environment } from '../packages/server/src/config/environment.ts';
import { loadConfig } from '../packages/server/src/config/load-config.ts';

/** The same flags as the server's: it has to be found where it listens. */
const { values } = parseArgs({
  strict: false,
  options: { port: { type: 'string' }, host: { type: 'string' }, config: { type: 'string' } },
});
const { port, host, config: file } = values;
const { config } = loadConfig({
  flags: { port: textOf(port), host: textOf(host), config: textOf(file) },
  ...environment(),
});
const { createServer } = await import('vite');
const server = await createServer({
  root: fileURLToPath(new URL('../packages/dashboard', import.meta.url)),
  clearScreen: false,
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': {
        target: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`,
      },
    },
  },
});
await server.listen();
server.printUrls();

/** @param {string | boolean | undefined | (string | boolean)[]} value */
function textOf(value) {
  return typeof value === 'string' ? value : undefined;
}

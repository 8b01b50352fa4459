import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ERROR_TABLE, type ErrorCode } from '@tallygate/contract/errors';
import { ALERT_ROUTES } from './fake-admin-alerts.ts';
import { POOL_ROUTES } from './fake-admin-pools.ts';
import { FAKE_PASSWORD, type FakeCall, OPEN_ROUTES, Refusal, ROUTES } from './fake-admin-routes.ts';
import type { FakeRequest } from './fake-admin-traffic.ts';
import { createFakeWorld, type FakeScenario, type FakeWorld } from './fake-admin-world.ts';

/** The policy the real server enforces; the dashboard has to live under it. */
export const DASHBOARD_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; report-uri /api/csp-report";
export interface FakeAdminApi {
  url: string;
  /** Adds one request now and tells the open streams. */
  addRequest(): FakeRequest;
  setScenario(scenario: FakeScenario): void;
  setJournalState(state: 'ok' | 'degraded' | 'full'): void;
  setWarnings(warnings: { code: string; message: string }[]): void;
  close(): Promise<void>;
}
export interface FakeAdminOptions {
  /** Folder with the built dashboard; without it only the API answers. */
  distDir?: string;
  scenario?: FakeScenario;
  /** How many requests the last 62 days held. */
  requests?: number;
  port?: number;
  /** Answers as signed in without a cookie. */
  open?: boolean;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Starts a stand-in for the admin API on loopback: contract shapes, believable data, the enforced CSP. */
export async function startFakeAdminApi(options: FakeAdminOptions = {}): Promise<FakeAdminApi> {
  const world = createFakeWorld(options.scenario ?? 'normal', options.requests);
  const server = createServer((req, res) => void handle({ world, options }, req, res));
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addRequest: () => world.add(),
    setScenario: (scenario) => world.use(scenario),
    setJournalState: (state) => {
      world.journal = state;
    },
    setWarnings(warnings) {
      world.warnings = warnings;
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** The state and how it is served. */
interface Serving {
  world: FakeWorld;
  options: FakeAdminOptions;
}

async function handle(serving: Serving, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://localhost');
  res.setHeader('content-security-policy', DASHBOARD_CSP);
  if (!url.pathname.startsWith('/api/')) return serveFile(serving.options.distDir, url.pathname, res);
  try {
    const body = await readBody(req);
    const answer = await route(serving, req, { url, body, res, params: [] });
    if (answer !== undefined) json(res, 200, answer);
  } catch (error) {
    const code: ErrorCode = error instanceof Refusal ? error.code : 'internal_error';
    const details = error instanceof Refusal ? error.details : String(error);
    json(res, ERROR_TABLE[code].status, {
      error: {
        code,
        message: ERROR_TABLE[code].message,
        requestId: '0199b2f0-5a7e-7c11-8f00-3c2d1e0f9a8b',
        docs: `/docs/errors/${code}`,
        details,
      },
    });
  }
}

function serveFile(root: string | undefined, path: string, res: ServerResponse): void {
  if (root === undefined) return void res.writeHead(404).end();
  const wanted = join(root, normalize(path));
  const file =
    extname(path) !== '' && wanted.startsWith(root) && existsSync(wanted) ? wanted : join(root, 'index.html');
  res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(res);
}

async function readBody(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
}
function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function route({ world, options }: Serving, req: IncomingMessage, call: FakeCall): Promise<unknown> {
  const method = req.method ?? 'GET';
  const path = call.url.pathname;
  const opened = OPEN_ROUTES[`${method} ${path}`];
  if (opened) return opened(world, call);
  const session = /tg_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? '';
  if (!options.open && !world.sessions.has(session)) throw new Refusal('session_required');
  if (method !== 'GET' && req.headers['x-csrf-token'] !== 'csrf-1') throw new Refusal('csrf_failed');
  if (path === '/api/auth/logout') {
    world.sessions.delete(session);
    return {};
  }
  const data = !path.startsWith('/api/auth') && !path.startsWith('/api/system');
  if (data && world.scenario === 'slow') await new Promise((done) => setTimeout(done, 60_000).unref());
  if (data && world.scenario === 'error') throw new Refusal('store_unavailable');
  for (const [pattern, handler] of [...ALERT_ROUTES, ...POOL_ROUTES, ...ROUTES]) {
    const match = pattern.exec(`${method} ${path}`);
    if (match) return handler(world, { ...call, params: match.slice(1) });
  }
  throw new Refusal('route_not_found');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const arg = (name: string): string | undefined =>
    process.argv.find((a) => a.startsWith(`--${name}=`))?.split('=')[1];
  const fake = await startFakeAdminApi({
    distDir: join(import.meta.dirname, '../../dashboard/dist'),
    port: Number(arg('port') ?? 4180),
    requests: 60_000,
    scenario: (arg('scenario') ?? 'normal') as FakeScenario,
    open: process.argv.includes('--open'),
  });
  setInterval(() => fake.addRequest(), Number(arg('every') ?? 4000));
  console.log(`${fake.url}  sign in as owner / ${FAKE_PASSWORD}`);
}

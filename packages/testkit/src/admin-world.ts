import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KeyScope } from '@tallygate/contract/api/keys';
import type { PoolView } from '@tallygate/contract/api/pool';
import { BudgetBook } from '@tallygate/server/admin/budgets/budget-book';
import { LimitBook } from '@tallygate/server/admin/limits/limit-book';
import { createEgress } from '@tallygate/server/egress/egress';
import { createEgressPolicy } from '@tallygate/server/egress/egress-policy';
import type { AdminAppDeps } from '@tallygate/server/http/admin-app';
import { createAdminApp } from '@tallygate/server/http/admin-app';
import { markLocal } from '@tallygate/server/http/request-marks';
import { createSetupCode } from '@tallygate/server/identity/setup-code';
import { createIdSource } from '@tallygate/server/kernel/ids';
import type { LogFields, Logger } from '@tallygate/server/kernel/logger';
import { Secret } from '@tallygate/server/kernel/secret';
import { createLiveFeed } from '@tallygate/server/ledger/live-feed';
import { RateEngine } from '@tallygate/server/limits/rate-engine';
import { AccountStates } from '@tallygate/server/pool/account-state';
import { anthropicAdapter } from '@tallygate/server/providers/anthropic/adapter';
import { compatibleAdapter } from '@tallygate/server/providers/compatible/adapter';
import { geminiAdapter } from '@tallygate/server/providers/gemini/adapter';
import { openaiAdapter } from '@tallygate/server/providers/openai/adapter';
import { createKeyAddressWatch } from '@tallygate/server/security/key-addresses';
import { createSecurityMonitor } from '@tallygate/server/security/security-monitor';
import type { Store } from '@tallygate/server/store/store';
import { openKeyring } from '@tallygate/server/vault/open-keyring';
import { createVaultKeeper } from '@tallygate/server/vault/vault-keeper';
import { createAlerting } from '@tallygate/server/wire/alerts';
import type { FastifyInstance } from 'fastify';
import { SAMPLE_WORKSPACE_ID } from './sample-event.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body; null when it is not JSON. */
  json: Record<string, unknown> & {
    error?: {
      code: string;
      message: string;
      requestId: string;
      details?: { path: string; message: string }[];
    };
  };
}
export interface CallOptions {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** Sent as JSON unless it is a string or bytes. */
  body?: unknown;
  /** Through the socket that only the owner can open. */
  local?: boolean;
}
export interface SignedIn {
  cookie: string;
  csrf: string;
  /** Headers of a write. */
  headers: Record<string, string>;
}

/** The master key of the world, as it would stand in the environment. */
export const MASTER_KEY = randomBytes(32).toString('base64');

export const OWNER = { username: 'maria', password: 'tall giraffes eat mangoes' };

/** The admin app on real sockets, with a clock that stands still until moved. */
export interface AdminWorld {
  url: string;
  port: number;
  app: FastifyInstance;
  deps: AdminAppDeps;
  clock: { ms: number };
  logs: string[];
  /** How often the snapshot was refreshed. */
  refreshes(): number;
  /** Keys whose running calls were ended. */
  endedKeys: readonly string[];
  feed: ReturnType<typeof createLiveFeed>;
  call(path: string, options?: CallOptions): Promise<Answer>;
  setUp(): Promise<SignedIn>;
  signIn(): Promise<SignedIn>;
  /** Invites somebody with this role, who accepts with the owner's password and is signed in. */
  join(role: string, username: string): Promise<SignedIn>;
  makeKey(scopes: KeyScope[], project?: string): Promise<{ id: string; key: string }>;
  close(): Promise<void>;
}

function recordingLogger(lines: string[]): Logger {
  const write = (message: string, fields?: LogFields): void => {
    const { error, ...rest } = fields ?? {};
    lines.push(JSON.stringify({ message, ...rest, error: error instanceof Error ? error.name : undefined }));
  };
  return { debug: write, info: write, warn: write, error: write };
}

function listen(
  handler: (req: IncomingMessage, res: import('node:http').ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Bytes of the body with the headers that frame it (Node frames no body of a DELETE by itself). */
function framed(body: unknown): { bytes: Buffer | undefined; headers: Record<string, string> } {
  if (body === undefined) return { bytes: undefined, headers: {} };
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { bytes, headers: { 'content-type': 'application/json', 'content-length': String(bytes.length) } };
}

/** Sends one request as it is: no cookie jar, no automatic headers but Host. */
export function send(port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  const { bytes, headers } = framed(options.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        port,
        host: '127.0.0.1',
        path,
        method: options.method ?? (bytes === undefined ? 'GET' : 'POST'),
        headers: { ...headers, ...options.headers },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          let json: Answer['json'] = {};
          try {
            json = JSON.parse(text);
          } catch {
            json = {};
          }
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

/** The status alone; the connection is closed as soon as it is known, so streams end as well. */
export function statusOf(port: number, path: string, options: CallOptions = {}): Promise<number> {
  const { bytes, headers } = framed(options.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        port,
        host: '127.0.0.1',
        path,
        method: options.method ?? 'GET',
        headers: { ...headers, ...options.headers },
        agent: false,
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.on('error', () => undefined);
        outgoing.destroy();
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function cookieOf(answer: Answer): string {
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

export async function startAdminWorld(store: Store, change: Partial<AdminAppDeps> = {}): Promise<AdminWorld> {
  const clock = { ms: Date.UTC(2026, 10, 22, 12, 0, 0), now: () => clock.ms, monotonicMs: () => clock.ms };
  const logs: string[] = [];
  const feed = createLiveFeed();
  let refreshes = 0;
  const endedKeys: string[] = [];
  const states = new AccountStates();
  let pool: PoolView = { strategy: 'session', chosen: false };
  const newId = createIdSource(clock);
  const workspace = await store.config.ensureWorkspace({
    id: SAMPLE_WORKSPACE_ID,
    slug: 'default',
    name: 'Default',
    allowedAddresses: [],
    createdAtMs: clock.ms,
  });
  const logger = recordingLogger(logs);
  const security = createSecurityMonitor(clock);
  const budgets = new BudgetBook({ store, clock, logger, wait: async () => undefined });
  await budgets.load();
  const limits = new LimitBook(new RateEngine(), store, []);
  const keyringParts = {
    storage: store.vault,
    settings: store.config,
    path: 'none: the key is in the environment',
    fromEnvironment: new Secret(MASTER_KEY),
    nowMs: clock.ms,
    randomBytes,
  };
  const opened = await openKeyring(keyringParts);
  const egressPolicy = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
  const egress = createEgress({ connectTimeoutMs: 5_000, policy: egressPolicy });
  const alertParts = {
    workspaceId: workspace.id,
    store,
    clock,
    newId,
    logger,
    vault: opened.keyring,
    egress,
    budgets,
    security,
  };
  const alertConfig = { publicUrl: 'https://gate.example.com', redisUrl: null };
  const alerting = createAlerting({ ...alertParts, pooling: { states }, config: alertConfig }, true);
  const deps: AdminAppDeps = {
    store,
    budgets,
    limits,
    vault: opened.keyring,
    userHash: null,
    keeper: createVaultKeeper({ ...keyringParts, ...opened, clock }),
    clock,
    newId,
    randomBytes,
    logger,
    firstWorkspaceId: workspace.id,
    providers: [anthropicAdapter, openaiAdapter, compatibleAdapter, geminiAdapter],
    egressPolicy,
    alerting,
    refreshSnapshot: async () => void refreshes++,
    accountState: (id) => states.of(id),
    oauth: {
      defaults: {
        enabled: true,
        clientId: null,
        authorizeUrl: null,
        tokenUrl: null,
        redirectUri: null,
        scopes: [],
        tokenFormat: 'form',
      },
      egress,
      status: () => null,
    },
    pool: {
      view: () => pool,
      choose: async (strategy) => {
        pool = { strategy: strategy ?? 'session', chosen: strategy !== null };
        return pool;
      },
    },
    testRules: () => {
      throw new Error('rules are tested against a running server: use startGate');
    },
    quotePrice: () => ({ costUsd: '0.25', priceStatus: 'priced', card: 'anthropic/x@1', lines: [] }),
    costLinesOf: () => null,
    journalStatus: () => ({ state: 'ok', backlogEntries: 0, fsync: 'process' }),
    systemWarnings: () => [],
    priceInfo: () => ({ version: '2026-11-22', cards: 3 }),
    testAccount: async () => ({
      ok: true,
      httpStatus: 200,
      latencyMs: 3,
      message: 'The credential works.',
      models: [],
    }),
    security,
    keyAddresses: createKeyAddressWatch({ audit: store.audit, monitor: security, clock, logger }),
    endRunningRequests: () => 0,
    checkHost: async () => ({
      safety: [{ id: 'user', status: 'ok', message: 'This is not the user root.', fix: null }],
      order: [{ id: 'clock', status: 'warn', message: 'The clock was set back.', fix: 'Set the clock.' }],
    }),
    shownSettings: () => [{ name: 'port', value: '4100' }],
    networkSettings: () => [
      {
        name: 'adminAllowedAddresses',
        variable: 'ADMIN_ALLOWED_ADDRESSES',
        value: '127.0.0.0/8',
        doc: 'Who comes in.',
      },
    ],
    endCallsOf: (keyId) => void endedKeys.push(keyId),
    liveFeed: feed,
    metricsText: async () => '# HELP tallygate_up 1 while running\ntallygate_up 1\n',
    readiness: async () => ({ ok: true, checks: [{ name: 'store', ok: true, reason: null }] }),
    setup: createSetupCode(randomBytes),
    info: { version: '9.9.9-test', startedAtMs: clock.ms, storeKind: store.capabilities.kind },
    headless: false,
    dashboardDir: null,
    sessionLimits: { idleMs: 3_600_000, absoluteMs: 86_400_000 },
    sessionSecret: null,
    ssoProvider: null,
    hosts: { namesOnly: true, allowedHosts: [] },
    ...change,
  };
  const app = await createAdminApp(deps);
  const server = await listen((req, res) => app.routing(req, res));
  const socket = await listen((req, res) => {
    markLocal(req);
    app.routing(req, res);
  });
  const call = (path: string, options: CallOptions = {}): Promise<Answer> =>
    send(portOf(options.local ? socket : server), path, options);
  async function session(answer: Answer): Promise<SignedIn> {
    if (answer.status >= 300) throw new Error(`sign-in failed: ${answer.text}`);
    const cookie = cookieOf(answer);
    const csrf = String((await call('/api/auth/csrf', { headers: { cookie } })).json.csrfToken);
    return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf } };
  }
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    port: portOf(server),
    app,
    deps,
    clock,
    logs,
    feed,
    refreshes: () => refreshes,
    endedKeys,
    call,
    setUp: async () =>
      session(await call('/api/setup', { body: { code: deps.setup.issue().reveal(), ...OWNER } })),
    signIn: async () => session(await call('/api/auth/login', { body: OWNER })),
    async join(role, username) {
      const { json } = await call('/api/invitations', { local: true, body: { role } });
      const code = String(json.path).split('code=')[1];
      const body = { code, username, password: OWNER.password };
      return session(await call('/api/entry/accept', { body }));
    },
    async makeKey(scopes, project) {
      const body = { name: scopes.join(' '), scopes, ...(project === undefined ? {} : { project }) };
      const { json } = await call('/api/keys', { local: true, body });
      return { id: String(json.id), key: String(json.key) };
    },
    async close() {
      await app.close();
      await alerting.evaluator.evaluate();
      await alerting.outbox.run();
      await egress.destroy();
      for (const listening of [server, socket]) {
        listening.closeAllConnections();
        await new Promise((resolve) => listening.close(resolve));
      }
      await egress.destroy();
      await store.close();
    },
  };
}

import type { ServerResponse } from 'node:http';
import { accountCreateRequest, accountUpdateRequest } from '@tallygate/contract/api/accounts';
import { loginRequest, setupRequest } from '@tallygate/contract/api/auth';
import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import {
  type ApiKeyView,
  keyCreateRequest,
  keyRotateRequest,
  keyUpdateRequest,
} from '@tallygate/contract/api/keys';
import { oauthCompleteRequest, oauthSessionCreateRequest } from '@tallygate/contract/api/oauth';
import { projectCreateRequest, projectUpdateRequest } from '@tallygate/contract/api/projects';
import { breakdownQuery, requestsQuery, timeseriesQuery, totalsQuery } from '@tallygate/contract/api/usage';
import type { ErrorCode } from '@tallygate/contract/errors';
import { PERMISSIONS } from '@tallygate/server/identity/permissions';
import { MONEY_ROUTES } from './fake-admin-money.ts';
import { FAKE_PROVIDERS } from './fake-admin-providers.ts';
import {
  fakeAuditPage,
  fakeCheckup,
  fakeNetwork,
  fakeSecurityOverview,
  fakeSso,
  fakeVault,
  fakeWorkspaces,
} from './fake-admin-security.ts';
import { breakdown, filterRequests, timeseries, totals } from './fake-admin-sums.ts';
import { type FakeRequest, fakeDetail } from './fake-admin-traffic.ts';
import { ago, boundView, type FakeWorld, fakeAccount } from './fake-admin-world.ts';

/** The password of the user `owner`. */
export const FAKE_PASSWORD = 'correct horse battery';

/** One request to the API. `params` are the parts of the path that its route captured. */
export interface FakeCall {
  url: URL;
  body: unknown;
  res: ServerResponse;
  params: string[];
}
/** A refusal with a code of the contract. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  constructor(code: ErrorCode, details?: unknown) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } };
}
/** The value as its schema has it, or the refusal that the server would give. */
export function parse<T>(schema: Schema<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal(
    'invalid_request',
    result.error.issues.map((i) => ({ path: i.path.join('.'), message: i.message })),
  );
}

export type FakeHandler = (world: FakeWorld, call: FakeCall) => unknown;
const signIn = (world: FakeWorld, res: ServerResponse): unknown => {
  const token = `s${world.ids++}`;
  world.sessions.add(token);
  res.setHeader('set-cookie', `tg_session=${token}; HttpOnly; SameSite=Strict; Path=/`);
  return ME;
};
const ME = {
  user: { id: 'usr_1', username: 'owner', role: 'owner', hasPassword: true },
  permissions: PERMISSIONS,
  stage: 'full',
  owed: [],
  session: { createdAt: ago(0), expiresAt: ago(-7) },
};
/** Routes that need no session. */
export const OPEN_ROUTES: Record<string, FakeHandler> = {
  'GET /api/setup/status': (world) => ({
    needsSetup: world.needsSetup,
    version: '0.1.0',
    db: { kind: 'sqlite' },
    sso: null,
  }),
  'POST /api/setup': (world, { body, res }) => {
    const input = parse(setupRequest, body);
    if (!world.needsSetup) throw new Refusal('setup_done');
    if (input.code !== 'first-code') throw new Refusal('setup_code_invalid');
    if (input.password.length < 12) throw new Refusal('weak_password');
    world.needsSetup = false;
    return signIn(world, res);
  },
  'POST /api/auth/login': (world, { body, res }) => {
    const input = parse(loginRequest, body);
    if (input.username !== 'owner' || input.password !== FAKE_PASSWORD)
      throw new Refusal('invalid_credentials');
    return signIn(world, res);
  },
};

/** The item with this id. */
export const found = <T extends { id: string }>(list: T[], id: string | undefined): T => {
  const item = list.find((entry) => entry.id === id);
  if (!item) throw new Refusal('resource_not_found');
  return item;
};
const query = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);
/** Everything else; the first that matches `METHOD /path` answers. */
export const ROUTES: [RegExp, FakeHandler][] = [
  ...MONEY_ROUTES,
  [/^GET \/api\/auth\/me$/, () => ME],
  [
    /^GET \/api\/auth\/workspaces$/,
    () => ({
      workspaces: [{ id: 'w1', slug: 'default', name: 'Default', role: 'owner', current: true }],
    }),
  ],
  [/^GET \/api\/auth\/csrf$/, () => ({ csrfToken: 'csrf-1' })],
  [/^GET \/api\/audit$/, (_w, { url }) => fakeAuditPage(url)],
  [
    /^POST \/api\/audit\/verify$/,
    () => ({ ok: true, entries: 1_500, head: { seq: 1_500, hash: 'a'.repeat(64) }, problems: [] }),
  ],
  [/^GET \/api\/security\/overview$/, () => fakeSecurityOverview()],
  [/^GET \/api\/security\/sso$/, () => fakeSso()],
  [/^GET \/api\/security\/network$/, () => fakeNetwork()],
  [/^GET \/api\/security\/checkup$/, () => ({ lastRun: fakeCheckup() })],
  [/^GET \/api\/vault$/, () => fakeVault()],
  [/^GET \/api\/workspaces$/, () => fakeWorkspaces()],
  [/^GET \/api\/incident$/, (w) => ({ paused: w.paused, workingKeys: 3 })],
  [
    /^POST \/api\/incident\/pause$/,
    (w) => {
      w.paused = { since: ago(0), reason: null, by: 'owner' };
      return { paused: w.paused, ended: 2 };
    },
  ],
  [
    /^POST \/api\/incident\/resume$/,
    (w) => {
      w.paused = null;
      return { paused: null, ended: 0 };
    },
  ],
  [/^POST \/api\/incident\/rotate-all$/, () => ({ revoked: 3 })],
  [
    /^GET \/api\/system$/,
    (w) => ({
      version: '0.1.0',
      startedAt: ago(3),
      store: { kind: 'sqlite', schemaVersion: 3 },
      journal: { state: w.journal, backlogEntries: 0, fsync: 'process' },
      prices: { version: '2026-11-01', cards: 1184 },
      warnings: w.warnings,
    }),
  ],
  [/^GET \/api\/usage\/totals$/, (w, { url }) => totals(w.items, parse(totalsQuery, query(url)))],
  [/^GET \/api\/usage\/timeseries$/, (w, { url }) => timeseries(w.items, parse(timeseriesQuery, query(url)))],
  [/^GET \/api\/usage\/breakdown$/, (w, { url }) => breakdown(w.items, parse(breakdownQuery, query(url)))],
  [
    /^GET \/api\/usage\/stream$/,
    (w, { res }) =>
      stream(w, res, () => [
        'totals',
        totals(w.items, {
          from: `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
          to: new Date().toISOString(),
          compare: 'none',
        }),
      ]),
  ],
  [/^GET \/api\/requests\/stream$/, (w, { res }) => stream(w, res, (item) => ['request', item.row])],
  [
    /^GET \/api\/requests$/,
    (w, { url }) => {
      const input = parse(requestsQuery, query(url));
      const before = input.cursor === undefined ? Number.POSITIVE_INFINITY : Number(input.cursor);
      // Newest first, and no further than the page: a list of 100,000 is asked for 200 times.
      const rows: FakeRequest[] = [];
      for (let i = w.items.length - 1; i >= 0 && rows.length <= input.limit; i--) {
        const item = w.items[i];
        if (item && item.seq < before && filterRequests([item], input).length === 1) rows.push(item);
      }
      return {
        requests: rows.slice(0, input.limit).map((item) => item.row),
        nextCursor: rows.length > input.limit ? String(rows[input.limit - 1]?.seq) : null,
      };
    },
  ],
  [
    /^GET \/api\/requests\/([^/]+)$/,
    (w, { params }) => {
      const item = w.items.find((entry) => entry.row.id === params[0]);
      if (!item) throw new Refusal('resource_not_found');
      return fakeDetail(item);
    },
  ],
  [/^GET \/api\/keys$/, (w) => ({ keys: w.keys })],
  [
    /^POST \/api\/keys$/,
    (w, { body }) => {
      const input = parse(keyCreateRequest, body);
      if (w.keys.some((key) => key.name === input.name && key.revokedAt === null))
        throw new Refusal('name_taken');
      const slug = input.project ?? 'default';
      const view: ApiKeyView = {
        id: `key_${w.ids++}`,
        name: input.name,
        prefix: 'tg_n3W1',
        scopes: input.scopes,
        project: { id: `prj_${slug}`, slug },
        createdAt: ago(0),
        expiresAt: input.expiresAt ?? null,
        revokedAt: null,
        lastUsedAt: null,
        kind: 'issued',
        restrictions: input.restrictions ?? NO_RESTRICTIONS,
        rotatedAt: null,
        previous: null,
        user: null,
      };
      w.keys.unshift(view);
      return { ...view, key: 'tg_n3W1yQ7vTz5cKq0LmP2xRb8sHd4jFa6gUe9wNi1oVt' };
    },
  ],
  [
    /^PATCH \/api\/keys\/([^/]+)$/,
    (w, { body, params }) => Object.assign(found(w.keys, params[0]), parse(keyUpdateRequest, body)),
  ],
  [
    /^POST \/api\/keys\/([^/]+)\/rotate$/,
    (w, { body, params }) => {
      const { overlapSeconds } = parse(keyRotateRequest, body);
      const key = found(w.keys, params[0]);
      const previous =
        overlapSeconds === 0 ? null : { prefix: key.prefix, expiresAt: ago(-overlapSeconds / 86_400) };
      Object.assign(key, { prefix: 'tg_r0T4', rotatedAt: ago(0), previous });
      return { ...key, key: 'tg_r0T4yQ7vTz5cKq0LmP2xRb8sHd4jFa6gUe9wNi1oVt' };
    },
  ],
  [
    /^DELETE \/api\/keys\/([^/]+)$/,
    (w, { params }) => Object.assign(found(w.keys, params[0]), { revokedAt: ago(0) }),
  ],
  [
    /^GET \/api\/oauth\/settings$/,
    () => ({
      enabled: true,
      notice: 'The terms of some providers forbid to share a subscription. Read yours first.',
      defaults: {
        clientId: 'my-own-client',
        authorizeUrl: null,
        redirectUri: null,
        scopes: [],
        tokenFormat: 'form',
      },
    }),
  ],
  [
    /^POST \/api\/oauth\/sessions$/,
    (w, { body }) => {
      const input = parse(oauthSessionCreateRequest, body);
      w.signIn = input.accountId ?? (input.account?.name as string);
      return {
        sessionId: 'session_1',
        authorizeUrl: 'https://provider.example/authorize?state=s',
        redirectUri: input.client?.redirectUri ?? 'https://gate.example/done',
        expiresAt: ago(-0.01),
      };
    },
  ],
  [
    /^POST \/api\/oauth\/complete$/,
    (w, { body }) => {
      const { code, state } = parse(oauthCompleteRequest, body);
      if (code !== 'right#s' && !(code === 'right' && state === 's'))
        throw new Refusal('oauth_session_invalid');
      const oauth = { expiresAt: ago(-0.04), reauthReason: null };
      const known = w.accounts.find((account) => account.id === w.signIn);
      if (known) return Object.assign(known, { oauth, condition: 'ready' });
      const view = fakeAccount(`acc_${w.ids++}`, w.signIn, 'anthropic', { oauth });
      w.accounts.push(view);
      return view;
    },
  ],
  [/^GET \/api\/accounts$/, (w) => ({ accounts: w.accounts })],
  [
    /^POST \/api\/accounts$/,
    (w, { body }) => {
      const { apiKey, boundTo = [], ...input } = parse(accountCreateRequest, body);
      if (w.accounts.some((entry) => entry.name === input.name)) throw new Refusal('name_taken');
      const preset = FAKE_PROVIDERS.flatMap((p) => p.presets).find((p) => p.id === input.preset);
      const view = fakeAccount(`acc_${w.ids++}`, input.name, input.provider, {
        ...input,
        boundTo: boundTo.map((bound) => ({ kind: 'project' as const, id: bound, name: bound })),
        preset: input.preset ?? null,
        lastUsedAt: null,
        credentialHint: apiKey?.slice(-4) ?? null,
        baseUrl:
          input.baseUrl ??
          preset?.baseUrl ??
          FAKE_PROVIDERS.find((p) => p.id === input.provider)?.defaultBaseUrl ??
          '',
      });
      w.accounts.push(view);
      return view;
    },
  ],
  [
    /^PATCH \/api\/accounts\/([^/]+)$/,
    (w, { body, params }) => {
      const { apiKey, boundTo, ...input } = parse(accountUpdateRequest, body);
      return Object.assign(
        found(w.accounts, params[0]),
        input,
        input.paused === undefined ? {} : { condition: input.paused ? 'paused' : 'ready' },
        apiKey ? { credentialHint: apiKey.slice(-4) } : {},
        boundTo ? { boundTo: boundTo.map((text) => boundView(w, text)) } : {},
      );
    },
  ],
  [
    /^DELETE \/api\/accounts\/([^/]+)$/,
    (w, { params }) => {
      w.accounts.splice(w.accounts.indexOf(found(w.accounts, params[0])), 1);
      return {};
    },
  ],
  [
    /^POST \/api\/accounts\/([^/]+)\/test$/,
    (w, { params }) => {
      const ok = found(w.accounts, params[0]).credentialHint !== 'fail';
      return ok
        ? {
            ok,
            httpStatus: 200,
            latencyMs: 184,
            message: 'The upstream answered and accepted the credential.',
            models: ['claude-opus-4-5', 'claude-sonnet-4-5', 'claude-haiku-4-5'],
          }
        : {
            ok,
            httpStatus: 401,
            latencyMs: 96,
            message:
              'The upstream refused the credential (401). Check that the key is complete and still active.',
            models: [],
          };
    },
  ],
  [/^GET \/api\/providers$/, () => ({ providers: FAKE_PROVIDERS })],
  [
    /^PATCH \/api\/projects\/([\w-]+)$/,
    (w, { body, params: [id] }) => Object.assign(found(w.projects, id), parse(projectUpdateRequest, body)),
  ],
  [/^GET \/api\/projects$/, (w) => ({ projects: w.projects })],
  [
    /^POST \/api\/projects$/,
    (w, { body }) => {
      const input = parse(projectCreateRequest, body);
      const view = {
        id: `prj_${input.slug}`,
        name: input.slug,
        environment: 'production' as const,
        disconnectPolicy: 'abort' as const,
        createdAt: ago(0),
        ...input,
      };
      w.projects.push(view);
      return view;
    },
  ],
];
function stream(
  world: FakeWorld,
  res: ServerResponse,
  event: (item: FakeRequest) => [string, unknown],
): undefined {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  res.write(': connected\n\n');
  const send = (item: FakeRequest): void => {
    const [name, data] = event(item);
    res.write(`id: ${item.seq}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  world.listeners.add(send);
  res.on('close', () => world.listeners.delete(send));
}

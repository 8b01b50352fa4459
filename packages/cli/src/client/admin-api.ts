import * as accounts from '@tallygate/contract/api/accounts';
import * as keys from '@tallygate/contract/api/keys';
import * as pool from '@tallygate/contract/api/pool';
import * as projects from '@tallygate/contract/api/projects';
import * as system from '@tallygate/contract/api/system';
import * as usage from '@tallygate/contract/api/usage';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { errorOfAnswer } from './api-error.ts';
import type { AdminRequest, AdminTransport, StreamEvent, StreamRequest, Target } from './transport.ts';

/** Rebuilding, verifying and backing up read the whole ledger. */
const LONG_TIMEOUT_MS = 6 * 3600_000;
/** A test of an account waits for the upstream. */
const UPSTREAM_TIMEOUT_MS = 120_000;

export type Query = Record<string, string | string[]>;
type Body<S extends z.ZodType> = z.input<S>;

/** The administrative API, typed. Every answer is checked against the contract before it is used. */
export interface AdminApi {
  readonly target: Target;
  keys: {
    list(): Promise<z.infer<typeof keys.keyListResponse>>;
    create(body: Body<typeof keys.keyCreateRequest>): Promise<keys.ApiKeyCreated>;
    rename(id: string, name: string): Promise<keys.ApiKeyView>;
    revoke(id: string): Promise<void>;
  };
  accounts: {
    list(): Promise<z.infer<typeof accounts.accountListResponse>>;
    create(body: Body<typeof accounts.accountCreateRequest>): Promise<accounts.AccountView>;
    test(id: string): Promise<accounts.AccountTest>;
    setPaused(id: string, paused: boolean): Promise<accounts.AccountView>;
    remove(id: string): Promise<void>;
  };
  pool: {
    show(): Promise<pool.PoolView>;
    /** Null goes back to the setting. */
    choose(strategy: pool.PoolStrategy | null): Promise<pool.PoolView>;
  };
  projects: {
    list(): Promise<z.infer<typeof projects.projectListResponse>>;
    create(body: Body<typeof projects.projectCreateRequest>): Promise<projects.ProjectView>;
  };
  usage: {
    totals(query: Query): Promise<usage.TotalsView>;
    breakdown(query: Query): Promise<usage.BreakdownView>;
    requests(query: Query): Promise<z.infer<typeof usage.requestListResponse>>;
    /** Requests as they are committed to the ledger. */
    requestStream(options: Omit<StreamRequest, 'path'>): Promise<AsyncIterable<StreamEvent>>;
  };
  system: {
    status(): Promise<system.SystemView>;
    quote(body: Body<typeof system.priceQuoteRequest>): Promise<system.PriceQuote>;
    backup(path: string): Promise<z.infer<typeof system.backupResponse>>;
    rebuildRollups(
      range: Body<typeof system.rollupRange>,
    ): Promise<z.infer<typeof system.rollupRebuildResponse>>;
    verifyRollups(
      range: Body<typeof system.rollupRange>,
    ): Promise<z.infer<typeof system.rollupVerifyResponse>>;
  };
  close(): Promise<void>;
}

function check<T>(schema: z.ZodType<T>, json: unknown, target: Target): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') || 'the whole answer';
  throw new CliError(
    'bad_answer',
    `${target.description} sent an answer this program does not understand (at ${at}).`,
    {
      why: 'The server and this program are probably of different versions.',
      fix: 'Compare "tallygate version" with the version the server shows under System.',
    },
  );
}

const part = encodeURIComponent;

/** The typed API over one transport. */
export function createAdminApi(transport: AdminTransport): AdminApi {
  const { target } = transport;
  const call = async <T>(request: AdminRequest, schema: z.ZodType<T>): Promise<T> => {
    const answer = await transport.request(request);
    if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(answer, target);
    return check(schema, answer.json, target);
  };
  const done = async (request: AdminRequest): Promise<void> => void (await call(request, z.unknown()));
  return {
    target,
    close: () => transport.close(),
    keys: keyCalls(call, done),
    accounts: accountCalls(call, done),
    pool: {
      show: () => call({ method: 'GET', path: '/api/pool' }, pool.poolResponse),
      choose: (strategy) =>
        call({ method: 'PATCH', path: '/api/pool', body: { strategy } }, pool.poolResponse),
    },
    projects: {
      list: () => call({ method: 'GET', path: '/api/projects' }, projects.projectListResponse),
      create: (body) => call({ method: 'POST', path: '/api/projects', body }, projects.projectResponse),
    },
    usage: {
      totals: (query) => call({ method: 'GET', path: '/api/usage/totals', query }, usage.totalsResponse),
      breakdown: (query) =>
        call({ method: 'GET', path: '/api/usage/breakdown', query }, usage.breakdownResponse),
      requests: (query) => call({ method: 'GET', path: '/api/requests', query }, usage.requestListResponse),
      requestStream: (options) => transport.stream({ ...options, path: '/api/requests/stream' }),
    },
    system: systemCalls(call),
  };
}

type Call = <T>(request: AdminRequest, schema: z.ZodType<T>) => Promise<T>;
type Done = (request: AdminRequest) => Promise<void>;

function keyCalls(call: Call, done: Done): AdminApi['keys'] {
  const one = (id: string) => `/api/keys/${part(id)}`;
  return {
    list: () => call({ method: 'GET', path: '/api/keys' }, keys.keyListResponse),
    create: (body) => call({ method: 'POST', path: '/api/keys', body }, keys.keyCreatedResponse),
    rename: (id, name) => call({ method: 'PATCH', path: one(id), body: { name } }, keys.keyResponse),
    revoke: (id) => done({ method: 'DELETE', path: one(id) }),
  };
}

function accountCalls(call: Call, done: Done): AdminApi['accounts'] {
  const one = (id: string) => `/api/accounts/${part(id)}`;
  return {
    list: () => call({ method: 'GET', path: '/api/accounts' }, accounts.accountListResponse),
    create: (body) => call({ method: 'POST', path: '/api/accounts', body }, accounts.accountResponse),
    test: (id) =>
      call(
        { method: 'POST', path: `${one(id)}/test`, timeoutMs: UPSTREAM_TIMEOUT_MS },
        accounts.accountTestResponse,
      ),
    setPaused: (id, paused) =>
      call({ method: 'PATCH', path: one(id), body: { paused } }, accounts.accountResponse),
    remove: (id) => done({ method: 'DELETE', path: one(id) }),
  };
}

function systemCalls(call: Call): AdminApi['system'] {
  const long = { method: 'POST', timeoutMs: LONG_TIMEOUT_MS } as const;
  return {
    status: () => call({ method: 'GET', path: '/api/system' }, system.systemResponse),
    quote: (body) => call({ method: 'POST', path: '/api/prices/quote', body }, system.priceQuoteResponse),
    backup: (path) => call({ ...long, path: '/api/backup', body: { path } }, system.backupResponse),
    rebuildRollups: (body) =>
      call({ ...long, path: '/api/rollups/rebuild', body }, system.rollupRebuildResponse),
    verifyRollups: (body) =>
      call({ ...long, path: '/api/rollups/verify', body }, system.rollupVerifyResponse),
  };
}

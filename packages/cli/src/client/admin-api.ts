import * as accounts from '@tallygate/contract/api/accounts';
import * as audit from '@tallygate/contract/api/audit';
import * as auth from '@tallygate/contract/api/auth';
import type { DependencyReport } from '@tallygate/contract/api/checkup';
import * as imports from '@tallygate/contract/api/imports';
import * as incident from '@tallygate/contract/api/incident';
import type { keyRestrictionsRequest } from '@tallygate/contract/api/key-restrictions';
import * as keys from '@tallygate/contract/api/keys';
import * as oauth from '@tallygate/contract/api/oauth';
import * as people from '@tallygate/contract/api/people';
import * as pool from '@tallygate/contract/api/pool';
import * as pools from '@tallygate/contract/api/pools';
import * as projects from '@tallygate/contract/api/projects';
import * as rules from '@tallygate/contract/api/rules';
import * as system from '@tallygate/contract/api/system';
import * as usage from '@tallygate/contract/api/usage';
import * as vault from '@tallygate/contract/api/vault';
import * as workspaces from '@tallygate/contract/api/workspaces';
import { z } from 'zod';
import { type AlertCalls, alertCalls } from './alert-calls.ts';
import { errorOfAnswer } from './api-error.ts';
import { checkAnswer } from './check-answer.ts';
import { type BudgetCalls, budgetCalls, type LimitCalls, limitCalls } from './money-calls.ts';
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
    /** Null for nobody in particular. */
    setOwner(id: string, user: string | null): Promise<keys.ApiKeyView>;
    limit(id: string, restrictions: Body<typeof keyRestrictionsRequest>): Promise<keys.ApiKeyView>;
    rotate(id: string, overlapSeconds: number): Promise<keys.ApiKeyCreated>;
    revoke(id: string): Promise<void>;
  };
  accounts: {
    list(): Promise<z.infer<typeof accounts.accountListResponse>>;
    create(body: Body<typeof accounts.accountCreateRequest>): Promise<accounts.AccountView>;
    test(id: string): Promise<accounts.AccountTest>;
    setPaused(id: string, paused: boolean): Promise<accounts.AccountView>;
    update(id: string, body: Body<typeof accounts.accountUpdateRequest>): Promise<accounts.AccountView>;
    remove(id: string): Promise<void>;
    oauthSettings(): Promise<oauth.OauthSettingsView>;
    beginSignIn(body: oauth.OauthSessionCreate): Promise<oauth.OauthSessionView>;
    completeSignIn(body: Body<typeof oauth.oauthCompleteRequest>): Promise<accounts.AccountView>;
  };
  runImport(body: imports.ImportRequest): Promise<imports.ImportReport>;
  users: {
    list(): Promise<z.infer<typeof people.userListResponse>>;
    update(id: string, body: Body<typeof people.userUpdateRequest>): Promise<people.UserView>;
    remove(id: string): Promise<void>;
    invite(body: Body<typeof people.invitationCreateRequest>): Promise<people.EntryLinkView>;
    resetPassword(id: string): Promise<people.EntryLinkView>;
    removeSecondFactor(id: string): Promise<void>;
  };
  sessions: {
    list(): Promise<z.infer<typeof auth.sessionListResponse>>;
    end(id: string): Promise<void>;
    endOf(userId: string): Promise<z.infer<typeof auth.sessionsEndedResponse>>;
  };
  pools: {
    list(): Promise<pools.PoolListView>;
    create(body: Body<typeof pools.poolCreateRequest>): Promise<pools.NamedPoolView>;
    update(id: string, body: Body<typeof pools.namedPoolUpdateRequest>): Promise<pools.NamedPoolView>;
    remove(id: string): Promise<void>;
  };
  rules: {
    list(): Promise<rules.RuleListView>;
    create(body: Body<typeof rules.ruleCreateRequest>): Promise<rules.RuleView>;
    update(id: string, body: Body<typeof rules.ruleUpdateRequest>): Promise<rules.RuleView>;
    order(ids: readonly string[]): Promise<rules.RuleListView>;
    remove(id: string): Promise<void>;
    test(body: Body<typeof rules.ruleTestRequest>): Promise<rules.RuleTestView>;
  };
  pool: {
    show(): Promise<pool.PoolView>;
    /** Null goes back to the setting. */
    choose(strategy: pool.PoolStrategy | null): Promise<pool.PoolView>;
  };
  projects: {
    list(): Promise<z.infer<typeof projects.projectListResponse>>;
    create(body: Body<typeof projects.projectCreateRequest>): Promise<projects.ProjectView>;
    update(id: string, body: Body<typeof projects.projectUpdateRequest>): Promise<projects.ProjectView>;
  };
  budgets: BudgetCalls;
  limits: LimitCalls;
  usage: {
    totals(query: Query): Promise<usage.TotalsView>;
    breakdown(query: Query): Promise<usage.BreakdownView>;
    requests(query: Query): Promise<z.infer<typeof usage.requestListResponse>>;
    redact(body: Body<typeof usage.redactRequest>): Promise<z.infer<typeof usage.redactResponse>>;
    /** Requests as they are committed to the ledger. */
    requestStream(options: Omit<StreamRequest, 'path'>): Promise<AsyncIterable<StreamEvent>>;
  };
  alerts: AlertCalls;
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
  audit: {
    list(query: Query): Promise<z.infer<typeof audit.auditListResponse>>;
    verify(body: Body<typeof audit.auditVerifyRequest>): Promise<audit.AuditVerifyReport>;
    exportPage(query: Query): Promise<z.infer<typeof audit.auditExportResponse>>;
  };
  incident: {
    pause(body: Body<typeof incident.pauseRequest>): Promise<z.infer<typeof incident.pauseResponse>>;
    resume(): Promise<z.infer<typeof incident.pauseResponse>>;
    rotateAll(
      body: Body<typeof incident.rotateAllRequest>,
    ): Promise<z.infer<typeof incident.rotateAllResponse>>;
    revokeSessions(
      body: Body<typeof incident.revokeSessionsRequest>,
    ): Promise<z.infer<typeof incident.revokeSessionsResponse>>;
    state(): Promise<z.infer<typeof incident.incidentExportResponse>>;
  };
  security: {
    /** Keeps what the registry of packages said, for the screen of checks. */
    keepDependencies(found: DependencyReport): Promise<void>;
  };
  vault: {
    status(): Promise<vault.VaultView>;
    rotateDataKey(): Promise<vault.DataKeyRotation>;
    rotateMasterKey(newKey: string | undefined): Promise<vault.MasterKeyRotation>;
  };
  workspaces: {
    list(): Promise<z.infer<typeof workspaces.workspaceListResponse>>;
    create(body: Body<typeof workspaces.workspaceCreateRequest>): Promise<workspaces.WorkspaceView>;
    update(
      id: string,
      body: Body<typeof workspaces.workspaceUpdateRequest>,
    ): Promise<workspaces.WorkspaceView>;
    addMember(
      id: string,
      body: Body<typeof workspaces.memberAddRequest>,
    ): Promise<z.infer<typeof workspaces.memberResponse>>;
  };
  close(): Promise<void>;
}

const part = encodeURIComponent;

/** The typed API over one transport. */
export function createAdminApi(transport: AdminTransport): AdminApi {
  const { target } = transport;
  const call = async <T>(request: AdminRequest, schema: z.ZodType<T>): Promise<T> => {
    const answer = await transport.request(request);
    if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(answer, target);
    return checkAnswer(schema, answer.json, target);
  };
  const done = async (request: AdminRequest): Promise<void> => void (await call(request, z.unknown()));
  return {
    target,
    close: () => transport.close(),
    keys: keyCalls(call, done),
    accounts: accountCalls(call, done),
    runImport: (body) =>
      call(
        { method: 'POST', path: '/api/imports', body, timeoutMs: UPSTREAM_TIMEOUT_MS },
        imports.importResponse,
      ),
    users: userCalls(call, done),
    sessions: sessionCalls(call, done),
    pool: {
      show: () => call({ method: 'GET', path: '/api/pool' }, pool.poolResponse),
      choose: (strategy) =>
        call({ method: 'PATCH', path: '/api/pool', body: { strategy } }, pool.poolResponse),
    },
    workspaces: {
      list: () => call({ method: 'GET', path: '/api/workspaces' }, workspaces.workspaceListResponse),
      create: (body) => call({ method: 'POST', path: '/api/workspaces', body }, workspaces.workspaceResponse),
      update: (id, body) =>
        call({ method: 'PATCH', path: `/api/workspaces/${part(id)}`, body }, workspaces.workspaceResponse),
      addMember: (id, body) =>
        call(
          { method: 'POST', path: `/api/workspaces/${part(id)}/members`, body },
          workspaces.memberResponse,
        ),
    },
    projects: {
      list: () => call({ method: 'GET', path: '/api/projects' }, projects.projectListResponse),
      create: (body) => call({ method: 'POST', path: '/api/projects', body }, projects.projectResponse),
      update: (id, body) =>
        call({ method: 'PATCH', path: `/api/projects/${part(id)}`, body }, projects.projectResponse),
    },
    pools: poolCalls(call, done),
    rules: ruleCalls(call, done),
    budgets: budgetCalls(call),
    alerts: alertCalls(call),
    limits: limitCalls(call),
    usage: {
      totals: (query) => call({ method: 'GET', path: '/api/usage/totals', query }, usage.totalsResponse),
      breakdown: (query) =>
        call({ method: 'GET', path: '/api/usage/breakdown', query }, usage.breakdownResponse),
      requests: (query) => call({ method: 'GET', path: '/api/requests', query }, usage.requestListResponse),
      redact: (body) => call({ method: 'POST', path: '/api/requests/redact', body }, usage.redactResponse),
      requestStream: (options) => transport.stream({ ...options, path: '/api/requests/stream' }),
    },
    system: systemCalls(call),
    audit: auditCalls(call),
    incident: incidentCalls(call),
    security: {
      keepDependencies: (body) => done({ method: 'POST', path: '/api/security/dependencies', body }),
    },
    vault: vaultCalls(call),
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
    limit: (id, restrictions) =>
      call({ method: 'PATCH', path: one(id), body: { restrictions } }, keys.keyResponse),
    setOwner: (id, user) => call({ method: 'PATCH', path: one(id), body: { user } }, keys.keyResponse),
    rotate: (id, overlapSeconds) =>
      call({ method: 'POST', path: `${one(id)}/rotate`, body: { overlapSeconds } }, keys.keyCreatedResponse),
    revoke: (id) => done({ method: 'DELETE', path: one(id) }),
  };
}

function poolCalls(call: Call, done: Done): AdminApi['pools'] {
  const path = '/api/pools';
  const one = (id: string) => `${path}/${part(id)}`;
  return {
    list: () => call({ method: 'GET', path }, pools.poolListResponse),
    create: (body) => call({ method: 'POST', path, body }, pools.namedPoolResponse),
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, pools.namedPoolResponse),
    remove: (id) => done({ method: 'DELETE', path: one(id) }),
  };
}

function ruleCalls(call: Call, done: Done): AdminApi['rules'] {
  const path = '/api/rules';
  const one = (id: string) => `${path}/${part(id)}`;
  return {
    list: () => call({ method: 'GET', path }, rules.ruleListResponse),
    create: (body) => call({ method: 'POST', path, body }, rules.ruleResponse),
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, rules.ruleResponse),
    order: (ids) => call({ method: 'POST', path: `${path}/order`, body: { ids } }, rules.ruleListResponse),
    remove: (id) => done({ method: 'DELETE', path: one(id) }),
    test: (body) => call({ method: 'POST', path: `${path}/test`, body }, rules.ruleTestResponse),
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
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, accounts.accountResponse),
    remove: (id) => done({ method: 'DELETE', path: one(id) }),
    oauthSettings: () => call({ method: 'GET', path: '/api/oauth/settings' }, oauth.oauthSettingsResponse),
    beginSignIn: (body) =>
      call({ method: 'POST', path: '/api/oauth/sessions', body }, oauth.oauthSessionResponse),
    completeSignIn: (body) =>
      call(
        { method: 'POST', path: '/api/oauth/complete', body, timeoutMs: UPSTREAM_TIMEOUT_MS },
        oauth.oauthCompleteResponse,
      ),
  };
}

function auditCalls(call: Call): AdminApi['audit'] {
  return {
    list: (query) => call({ method: 'GET', path: '/api/audit', query }, audit.auditListResponse),
    verify: (body) =>
      call(
        { method: 'POST', path: '/api/audit/verify', body, timeoutMs: LONG_TIMEOUT_MS },
        audit.auditVerifyResponse,
      ),
    exportPage: (query) =>
      call({ method: 'GET', path: '/api/audit/export', query }, audit.auditExportResponse),
  };
}

function incidentCalls(call: Call): AdminApi['incident'] {
  const post = { method: 'POST' } as const;
  return {
    pause: (body) => call({ ...post, path: '/api/incident/pause', body }, incident.pauseResponse),
    resume: () => call({ ...post, path: '/api/incident/resume', body: {} }, incident.pauseResponse),
    rotateAll: (body) =>
      call({ ...post, path: '/api/incident/rotate-all', body }, incident.rotateAllResponse),
    revokeSessions: (body) =>
      call({ ...post, path: '/api/incident/revoke-sessions', body }, incident.revokeSessionsResponse),
    state: () =>
      call(
        { method: 'GET', path: '/api/incident/export', timeoutMs: LONG_TIMEOUT_MS },
        incident.incidentExportResponse,
      ),
  };
}

function userCalls(call: Call, done: Done): AdminApi['users'] {
  const one = (id: string) => `/api/users/${part(id)}`;
  return {
    list: () => call({ method: 'GET', path: '/api/users' }, people.userListResponse),
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, people.userResponse),
    remove: (id) => done({ method: 'DELETE', path: one(id) }),
    invite: (body) => call({ method: 'POST', path: '/api/invitations', body }, people.entryLinkResponse),
    resetPassword: (id) =>
      call({ method: 'POST', path: `${one(id)}/reset-password` }, people.entryLinkResponse),
    removeSecondFactor: (id) => done({ method: 'DELETE', path: `${one(id)}/second-factor` }),
  };
}

function sessionCalls(call: Call, done: Done): AdminApi['sessions'] {
  return {
    list: () => call({ method: 'GET', path: '/api/sessions' }, auth.sessionListResponse),
    end: (id) => done({ method: 'DELETE', path: `/api/sessions/${part(id)}` }),
    endOf: (userId) =>
      call({ method: 'DELETE', path: `/api/users/${part(userId)}/sessions` }, auth.sessionsEndedResponse),
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

function vaultCalls(call: Call): AdminApi['vault'] {
  const long = { method: 'POST', timeoutMs: LONG_TIMEOUT_MS } as const;
  return {
    status: () => call({ method: 'GET', path: '/api/vault' }, vault.vaultResponse),
    rotateDataKey: () =>
      call({ ...long, path: '/api/vault/rotate-data-key', body: {} }, vault.dataKeyRotationResponse),
    rotateMasterKey: (newKey) =>
      call(
        { ...long, path: '/api/vault/rotate-master-key', body: newKey === undefined ? {} : { newKey } },
        vault.masterKeyRotationResponse,
      ),
  };
}

import { emptySchema } from '@tallygate/contract/api/common';
import type { KeyScope } from '@tallygate/contract/api/keys';
import { z } from 'zod';
import type { SessionStage } from '../identity/access.ts';
import { isInstallationWide, type Permission } from '../identity/permissions.ts';
import { type Principal, scopesWith } from '../identity/principal.ts';
import type { VisitedSite } from '../identity/relying-party.ts';
import type { SessionOrigin } from '../identity/sessions.ts';
import type { Secret } from '../kernel/secret.ts';
import type { CallAudit } from './call-audit.ts';
import { parseInput, strictly } from './parse-input.ts';

/**
 * Who may come in. `public`: anybody. `session`: a signed-in person only, whose role has the row's permission where it
 * names one. `permitted`: whoever carries the row's permission, by role, key scope or the local socket. `local`: the
 * owner-only socket alone.
 * `key`: an API key with one of the row's scopes (data plane).
 */
export type Access = 'public' | 'session' | 'permitted' | 'local' | 'key';
/** `token`: cookie-authenticated calls need the session's CSRF token. `origin`: only the same-origin check. */
export type CsrfRule = 'none' | 'origin' | 'token';
/** Which budget of calls per caller the row draws on; see `http/rate-limit.ts`. */
export type RateClass = 'none' | 'read' | 'write' | 'sign-in' | 'heavy' | 'report';
export type CachePolicy = 'no-store' | 'static';
/** `none` for reading; everything else is recorded with who, what and outcome. */
export type AuditClass = 'none' | 'access' | 'change' | 'secret';

/** What every path of every listener has to declare. A path without a row does not exist. */
export interface RouteRow {
  /** `both`: also where dashboard and administrative API have an address of their own (ADMIN_LISTEN). */
  listener: 'admin' | 'both' | 'data';
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path with `:name` parameters; `/*` is the rest. */
  path: string;
  summary: string;
  access: Access;
  permission: Permission | null;
  /**
   * What the row reaches: the caller's workspace and nothing of another, or what all workspaces share. For the latter
   * the permission counts that the caller has in the first workspace.
   */
  reach: 'workspace' | 'installation';
  /** Sessions that have come this far get in: one that still owes something may only settle that. */
  stages: readonly SessionStage[];
  /** Key scopes that get in; empty when no key does. */
  scopes: readonly KeyScope[];
  csrf: CsrfRule;
  rateClass: RateClass;
  bodyLimitBytes: number;
  cache: CachePolicy;
  audit: AuditClass;
}

/** Everything about a call that a handler may look at before validation. */
export interface RawCall {
  principal: Principal;
  /** The workspace that the call is about: nothing of another one may be read, named or changed. */
  workspaceId: string;
  params: unknown;
  query: unknown;
  body: unknown;
  requestId: string;
  origin: SessionOrigin;
  /** Under which address the caller reached us. */
  site: VisitedSite;
  /** What the browser kept while it was at its provider. */
  flowCookie: string | null;
  /** `Last-Event-ID`, sent by a stream's client that lost its connection. */
  lastEventId: string | null;
  /** Path as requested, for rows that serve files. */
  path: string;
  /** Content codings the client takes. */
  acceptEncoding: string;
  /** True when the client asks for a page rather than data. */
  wantsHtml: boolean;
  /** What the handler tells the audit log. */
  audit: CallAudit;
}

/** Who asks, and about which workspace. */
export type Caller = Pick<RawCall, 'principal' | 'workspaceId'>;

export type Call<P, Q, B> = Omit<RawCall, 'params' | 'query' | 'body'> & { params: P; query: Q; body: B };

/** What the session cookie of the answer does. */
export type SessionChange = { action: 'set'; token: Secret; maxAgeSeconds: number } | { action: 'clear' };

/** What the cookie that carries a browser through its provider does. */
export type FlowChange = { action: 'set'; kept: Secret; maxAgeSeconds: number } | { action: 'clear' };

/** One end of an open event stream. */
export interface EventSink {
  /** False when the client is gone or was dropped for being slow. */
  send(event: { event: string; id?: string; data: unknown }): boolean;
  readonly open: boolean;
  /** Ends the stream, without what a slow reader has not taken; the client reconnects and resumes. */
  close(): void;
  /** Resolves when the client has taken what was sent, or is gone. */
  drained(): Promise<void>;
  onClose(listener: () => void): void;
  /** Called with each heartbeat. */
  onBeat(listener: () => void): void;
}

export type Outcome =
  | { kind: 'json'; status: number; body: unknown; session?: SessionChange; flow?: FlowChange }
  /** `problem`: why it did not work; whoever is sent on learns no more than its code. */
  | { kind: 'redirect'; location: string; session?: SessionChange; flow?: FlowChange; problem?: unknown }
  | {
      kind: 'bytes';
      status: number;
      contentType: string;
      body: string | Buffer;
      headers: Record<string, string>;
    }
  | { kind: 'stream'; open(sink: EventSink): Promise<void> };

/** A row of the admin side: what it declares and what it does. */
export interface AdminRoute extends RouteRow {
  listener: 'admin' | 'both';
  kind: Outcome['kind'];
  schemas: { params: z.ZodType; query: z.ZodType; body: z.ZodType | null; response: z.ZodType | null };
  /** Status of success. */
  status: number;
  /** Validates, acts, and validates the answer: a field that the contract does not name never leaves. */
  run(call: RawCall): Promise<Outcome>;
}

/** Names the workspace that a call through the owner-only socket is about, by slug or id. */
export const WORKSPACE_HEADER = 'x-tallygate-workspace';

/** Bodies of the admin API are small; 1 MiB is generous. */
export const ADMIN_BODY_LIMIT_BYTES = 1024 * 1024;

type Declared = Pick<RouteRow, 'method' | 'path' | 'summary' | 'access'> &
  Partial<Pick<AdminRoute, 'listener'>> &
  Partial<
    Pick<RouteRow, 'permission' | 'reach' | 'stages' | 'rateClass' | 'audit' | 'csrf' | 'bodyLimitBytes'>
  >;

const reachOf = (access: Access, permission: Permission | null): RouteRow['reach'] =>
  access === 'local' || (permission !== null && isInstallationWide(permission))
    ? 'installation'
    : 'workspace';

function declare(spec: Declared): RouteRow & Pick<AdminRoute, 'listener'> {
  const reads = spec.method === 'GET';
  const permission = spec.permission ?? null;
  if (spec.access === 'permitted' && permission === null) {
    throw new Error(`${spec.method} ${spec.path}: a permitted row names its permission`);
  }
  return {
    listener: spec.listener ?? 'admin',
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    access: spec.access,
    permission,
    reach: spec.reach ?? reachOf(spec.access, permission),
    stages: spec.stages ?? ['full'],
    scopes: spec.access === 'permitted' && permission !== null ? scopesWith(permission) : [],
    csrf: spec.csrf ?? (reads ? 'none' : 'token'),
    rateClass: spec.rateClass ?? (reads ? 'read' : 'write'),
    bodyLimitBytes: spec.bodyLimitBytes ?? ADMIN_BODY_LIMIT_BYTES,
    cache: 'no-store',
    audit: spec.audit ?? (reads ? 'none' : 'change'),
  };
}

interface Inputs<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  params?: P;
  query?: Q;
  body?: B;
}

interface JsonSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>
  extends Declared,
    Inputs<P, Q, B> {
  response: R;
  status?: number;
  handler(
    call: Call<z.output<P>, z.output<Q>, z.output<B>>,
  ): Promise<{ body: z.input<R>; status?: number; session?: SessionChange; flow?: FlowChange }>;
}

interface InputSchemas {
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | null;
}

function inputsOf(spec: Inputs<z.ZodType, z.ZodType, z.ZodType>): InputSchemas {
  return {
    params: strictly(spec.params ?? emptySchema),
    query: strictly(spec.query ?? emptySchema),
    body: spec.body === undefined ? null : strictly(spec.body),
  };
}

/** The schemas are those of `P`, `Q` and `B`, only stricter about unknown fields, so their output is the same. */
function parseCall<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  schemas: InputSchemas,
  raw: RawCall,
): Call<z.output<P>, z.output<Q>, z.output<B>> {
  return {
    ...raw,
    params: parseInput(schemas.params, raw.params, 'path') as z.output<P>,
    query: parseInput(schemas.query, raw.query, 'query') as z.output<Q>,
    body: parseInput(schemas.body ?? emptySchema, raw.body ?? {}, 'body') as z.output<B>,
  };
}

/** A row that answers JSON. Unknown fields of query and body are refused by name. */
export function jsonRoute<
  P extends z.ZodType = typeof emptySchema,
  Q extends z.ZodType = typeof emptySchema,
  B extends z.ZodType = typeof emptySchema,
  R extends z.ZodType = z.ZodType,
>(spec: JsonSpec<P, Q, B, R>): AdminRoute {
  const schemas = inputsOf(spec);
  return {
    ...declare(spec),
    kind: 'json',
    status: spec.status ?? 200,
    schemas: { ...schemas, response: spec.response },
    async run(raw) {
      const call = parseCall<P, Q, B>(schemas, raw);
      await raw.audit.begin();
      const answer = await spec.handler(call);
      return {
        kind: 'json',
        status: answer.status ?? spec.status ?? 200,
        body: spec.response.parse(answer.body),
        ...(answer.session === undefined ? {} : { session: answer.session }),
        ...(answer.flow === undefined ? {} : { flow: answer.flow }),
      };
    },
  };
}

interface StreamSpec<Q extends z.ZodType> extends Declared {
  query?: Q;
  /** What an event's data looks like, for the documentation. */
  response: z.ZodType;
  /** Refuses what is wrong with the call; what it returns starts to send once the stream is open. */
  prepare(call: Call<unknown, z.output<Q>, unknown>): Promise<(sink: EventSink) => Promise<void>>;
}

/** A row that answers server-sent events (WT-16). */
export function streamRoute<Q extends z.ZodType = typeof emptySchema>(spec: StreamSpec<Q>): AdminRoute {
  const schemas = inputsOf(spec);
  return {
    ...declare(spec),
    kind: 'stream',
    status: 200,
    schemas: { ...schemas, response: spec.response },
    async run(raw) {
      const call = parseCall<z.ZodType, Q, z.ZodType>(schemas, raw);
      await raw.audit.begin();
      return { kind: 'stream', open: await spec.prepare(call) };
    },
  };
}

interface RedirectSpec extends Declared {
  handler(call: RawCall): Promise<Omit<Extract<Outcome, { kind: 'redirect' }>, 'kind'>>;
}

/** A row that browsers are sent to by another site, and that sends them on. Its query is that site's. */
export function redirectRoute(spec: RedirectSpec): AdminRoute {
  return {
    ...declare(spec),
    kind: 'redirect',
    status: 303,
    schemas: { params: z.unknown(), query: z.unknown(), body: null, response: null },
    async run(raw) {
      await raw.audit.begin();
      return { kind: 'redirect', ...(await spec.handler(raw)) };
    },
  };
}

interface BytesSpec extends Declared {
  cache?: CachePolicy;
  /** False lets any query through: a page's own parameters are none of the server's business. */
  strictQuery?: boolean;
  handler(call: RawCall): Promise<Omit<Extract<Outcome, { kind: 'bytes' }>, 'kind'>>;
}

/** A row that answers text or a file. */
export function bytesRoute(spec: BytesSpec): AdminRoute {
  return {
    ...declare(spec),
    cache: spec.cache ?? 'no-store',
    kind: 'bytes',
    status: 200,
    schemas: { params: z.unknown(), query: emptySchema, body: null, response: null },
    async run(raw) {
      if (spec.strictQuery !== false) parseInput(emptySchema, raw.query, 'query');
      await raw.audit.begin();
      return { kind: 'bytes', ...(await spec.handler(raw)) };
    },
  };
}

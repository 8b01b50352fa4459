import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AdminContext, AdminDeps } from '../admin/admin-deps.ts';
import { ADMIN_BODY_LIMIT_BYTES, type AdminRoute } from '../admin/route.ts';
import type { AddressSet } from '../kernel/address-set.ts';
import { AppError } from '../kernel/errors.ts';
import { createAdminServices, type ServiceOptions } from './admin-services.ts';
import { createAnswers, type HeadersFor } from './answer.ts';
import { createCallGuard } from './call-guard.ts';
import { type DashboardFile, loadDashboard } from './dashboard-files.ts';
import { createEventStreams } from './event-stream.ts';
import { assertHostAllowed, type HostPolicy } from './host-check.ts';
import { parseJsonBody, parseQuery } from './json-body.ts';
import { createPathIndex } from './path-index.ts';
import { clientOf, isLocal, isPublicOnly, isSecure, markLocal } from './request-marks.ts';
import { shapeProblem } from './request-shape.ts';
import { adminRouteTable } from './route-table.ts';
import { type BrowserPolicy, securityHeaders, strictTransportSecurity } from './security-headers.ts';

export interface AdminAppDeps extends AdminDeps, ServiceOptions {
  /** True serves a banner instead of the dashboard (WT-08). */
  headless: boolean;
  /** Folder with the built dashboard; null when this installation has none. */
  dashboardDir: string | null;
  hosts: HostPolicy;
  /** Who reaches all rows but those of `both`; left out, everybody. */
  adminClients?: AddressSet;
  /** Left out, the policy is enforced and names nobody else. */
  browserPolicy?: BrowserPolicy;
  /** Every request comes from this process itself: a command line that opened the store, with its owner's rights. */
  inProcess?: boolean;
  /** Told after each call that may have changed something. */
  changed?(): void;
  /** For tests; 15 seconds. */
  streamHeartbeatMs?: number;
}

/**
 * Builds the admin side (API, dashboard, health, metrics) from the route table. It does not listen: hand requests
 * to `app.routing(request, response)`, marked with `markLocal` when they came through the owner-only socket.
 */
export async function createAdminApp(deps: AdminAppDeps): Promise<FastifyInstance> {
  const streams = createEventStreams(deps.streamHeartbeatMs);
  const context: AdminContext = {
    ...deps,
    ...createAdminServices(deps, (credential) => streams.endOf(credential)),
  };
  const files: ReadonlyMap<string, DashboardFile> =
    deps.headless || deps.dashboardDir === null ? new Map() : await loadDashboard(deps.dashboardDir);
  const routes = adminRouteTable(context, { headless: deps.headless, files });
  const policy = deps.browserPolicy ?? { reportOnly: false, connectSrc: [], hstsSubdomains: false };
  const fixed = securityHeaders(policy);
  const https = strictTransportSecurity(policy);
  const headersFor: HeadersFor = (request) => ({
    ...fixed,
    ...(isSecure(request.raw) ? { 'strict-transport-security': https } : {}),
    'x-request-id': request.id,
  });
  const answers = createAnswers({ context, streams, paths: createPathIndex(routes), headersFor });
  const app = createFastify(deps, { answerError: answers.error, headersFor });

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersFor(request));
    const problem = shapeProblem(request.raw);
    if (problem !== null) throw problem;
    if (deps.inProcess === true) markLocal(request.raw);
    // What is nowhere is 404 under any name: there is nothing to protect.
    if (!request.is404 && !isLocal(request.raw)) assertHosts(request.raw, deps.hosts);
    if (!isLocal(request.raw)) assertServedHere(request, deps.adminClients);
  });
  app.addHook('preClose', async () => streams.endAll());
  app.setErrorHandler((error, request, reply) => answers.error(error, request, reply));
  app.setNotFoundHandler((request, reply) => answers.error(new AppError('route_not_found'), request, reply));
  addRoutes(app, { routes, context, answers, changed: () => deps.changed?.() });
  await app.ready();
  return app;
}

/**
 * The name a trusted proxy was asked for has to be one of ours, and the one this connection was opened under as well:
 * a page that rebinds its own name to loopback can write any header but `Host`.
 */
function assertHosts(request: IncomingMessage, hosts: HostPolicy): void {
  assertHostAllowed(request.headers.host, hosts);
  const { host } = clientOf(request);
  if (host !== request.headers.host) assertHostAllowed(host, hosts);
}

/**
 * A listener that serves the rows of `both` alone knows no others; where those are served, only these clients reach them.
 * @throws AppError `route_not_found` or `client_not_allowed`
 */
function assertServedHere(request: FastifyRequest, clients: AddressSet | undefined): void {
  const { listener } = request.routeOptions.config as { listener?: AdminRoute['listener'] };
  if (listener === 'both') return;
  if (isPublicOnly(request.raw)) throw new AppError('route_not_found');
  if (clients === undefined || clients.empty || clients.has(clientOf(request.raw).address ?? '')) return;
  throw new AppError('client_not_allowed');
}

type ErrorAnswer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

function createFastify(
  deps: AdminAppDeps,
  { answerError, headersFor }: { answerError: ErrorAnswer; headersFor: HeadersFor },
): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: ADMIN_BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    genReqId: () => deps.newId(),
    routerOptions: { maxParamLength: 100, querystringParser: parseQuery },
    // Raised before any hook runs: an address that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      reply.headers(headersFor(request));
      answerError(error, request, reply);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body),
  );
  // How browsers send reports of the content security policy (CSP 3 §5.5): JSON under a name of its own.
  app.addContentTypeParser(
    'application/csp-report',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body),
  );
  return app;
}

function addRoutes(
  app: FastifyInstance,
  parts: {
    routes: readonly AdminRoute[];
    context: AdminContext;
    answers: ReturnType<typeof createAnswers>;
    changed(): void;
  },
): void {
  const guard = createCallGuard(parts.context);
  for (const route of parts.routes) {
    app.route({
      // A stream has no end to measure, so it answers GET alone.
      method: route.method === 'GET' && route.kind !== 'stream' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      config: { listener: route.listener },
      bodyLimit: route.bodyLimitBytes,
      // Before the body is read: nobody uploads a byte without a right to.
      onRequest: (request) => guard.admit(route, request),
      handler: async (request, reply) => {
        const { call, outcome } = await guard.act(route, request);
        if (route.method !== 'GET') parts.changed();
        return parts.answers.outcome(outcome, { route, call, request, reply });
      },
      onResponse: async (request, reply) => guard.record(route, request, reply.statusCode),
    });
  }
}

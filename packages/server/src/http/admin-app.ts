import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AdminContext, AdminDeps } from '../admin/admin-deps.ts';
import { ADMIN_BODY_LIMIT_BYTES, type AdminRoute } from '../admin/route.ts';
import { AppError } from '../kernel/errors.ts';
import { createAdminServices, type ServiceOptions } from './admin-services.ts';
import { createAnswers } from './answer.ts';
import { createCallGuard } from './call-guard.ts';
import { type DashboardFile, loadDashboard } from './dashboard-files.ts';
import { createEventStreams } from './event-stream.ts';
import { assertHostAllowed, type HostPolicy } from './host-check.ts';
import { parseJsonBody, parseQuery } from './json-body.ts';
import { createPathIndex } from './path-index.ts';
import { isLocal, markLocal } from './request-marks.ts';
import { adminRouteTable } from './route-table.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export interface AdminAppDeps extends AdminDeps, ServiceOptions {
  /** True serves a banner instead of the dashboard (WT-08). */
  headless: boolean;
  /** Folder with the built dashboard; null when this installation has none. */
  dashboardDir: string | null;
  hosts: HostPolicy;
  /** Every request comes from this process itself: a command line that opened the store, with its owner's rights. */
  inProcess?: boolean;
  /** For tests; 15 seconds. */
  streamHeartbeatMs?: number;
}

/** Longest request target that is looked at: two filters with fifty ids each fit. */
const MAX_URL_CHARS = 8 * 1024;
const MAX_HEADER_COUNT = 100;

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
  const answers = createAnswers({ context, streams, paths: createPathIndex(routes) });
  const app = createFastify(deps, answers.error);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
    assertBounded(request);
    if (deps.inProcess === true) markLocal(request.raw);
    // What is nowhere is 404 under any name: there is nothing to protect.
    if (!request.is404 && !isLocal(request.raw)) assertHostAllowed(request.raw.headers.host, deps.hosts);
  });
  app.addHook('preClose', async () => streams.endAll());
  app.setErrorHandler((error, request, reply) => answers.error(error, request, reply));
  app.setNotFoundHandler((request, reply) => answers.error(new AppError('route_not_found'), request, reply));
  addRoutes(app, { routes, context, answers });
  await app.ready();
  return app;
}

type ErrorAnswer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

function createFastify(deps: AdminAppDeps, answerError: ErrorAnswer): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: ADMIN_BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    genReqId: () => deps.newId(),
    routerOptions: { maxParamLength: 100, querystringParser: parseQuery },
    // Raised before any hook runs: an address that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
      answerError(error, request, reply);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body),
  );
  return app;
}

function assertBounded({ raw }: FastifyRequest): void {
  if ((raw.url?.length ?? 0) > MAX_URL_CHARS) {
    throw new AppError('invalid_request', {
      detail: `The address is longer than ${MAX_URL_CHARS} characters.`,
    });
  }
  if (raw.rawHeaders.length / 2 > MAX_HEADER_COUNT) {
    throw new AppError('invalid_request', {
      detail: `There are more than ${MAX_HEADER_COUNT} header fields.`,
    });
  }
}

function addRoutes(
  app: FastifyInstance,
  parts: { routes: readonly AdminRoute[]; context: AdminContext; answers: ReturnType<typeof createAnswers> },
): void {
  const guard = createCallGuard(parts.context);
  for (const route of parts.routes) {
    app.route({
      // A stream has no end to measure, so it answers GET alone.
      method: route.method === 'GET' && route.kind !== 'stream' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      bodyLimit: route.bodyLimitBytes,
      // Before the body is read: nobody uploads a byte without a right to.
      onRequest: (request) => guard.admit(route, request),
      handler: async (request, reply) => {
        const call = guard.callOf(request);
        return parts.answers.outcome(await route.run(call), { route, call, request, reply });
      },
      onResponse: async (request, reply) => guard.record(route, request, reply.statusCode),
    });
  }
}

import type { FastifyRequest } from 'fastify';
import type { AdminContext } from '../admin/admin-deps.ts';
import type { CallAudit } from '../admin/call-audit.ts';
import type { AdminRoute, Outcome, RawCall } from '../admin/route.ts';
import { addressBucket } from '../identity/login-throttle.ts';
import { credentialId, type Principal, workspaceOf } from '../identity/principal.ts';
import type { VisitedSite } from '../identity/relying-party.ts';
import type { SessionOrigin } from '../identity/sessions.ts';
import { assertComesFromWorkspace, assertNotForged, authenticate, authorise } from './authenticate.ts';
import { type OpenCallAudit, openCallAudit } from './call-audit.ts';
import { createRateLimit } from './rate-limit.ts';
import { clientOf } from './request-marks.ts';
import { readFlowCookie } from './session-cookie.ts';

/** What stands between a request and its handler, in this order: who, may they, did they mean it, how often. */
export interface CallGuard {
  admit(route: AdminRoute, request: FastifyRequest): Promise<void>;
  /**
   * Runs the admitted call and writes its outcome into the audit log before anybody learns of it.
   * @throws AppError `audit_unavailable` when an act could not be recorded that must be
   */
  act(route: AdminRoute, request: FastifyRequest): Promise<{ call: RawCall; outcome: Outcome }>;
  /** Notes who did what in the log of the process, for rows that are to be recorded. */
  record(route: AdminRoute, request: FastifyRequest, status: number): void;
}

const addressOf = (request: FastifyRequest): string | null => clientOf(request.raw).address;

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

const originOf = (request: FastifyRequest): SessionOrigin => ({
  address: addressOf(request),
  userAgent: headerOf(request, 'user-agent'),
});

const siteOf = (request: FastifyRequest): VisitedSite => {
  const { host, secure, proxied } = clientOf(request.raw);
  return { host, secure, proxied, pageOrigin: headerOf(request, 'origin') };
};

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '/';

/** What a handler may look at. */
function callOf(
  request: FastifyRequest,
  principal: Principal,
  parts: { audit: CallAudit; firstWorkspaceId: string },
): RawCall {
  return {
    principal,
    workspaceId: workspaceOf(principal) ?? parts.firstWorkspaceId,
    params: request.params,
    query: request.query,
    body: request.body,
    requestId: request.id,
    origin: originOf(request),
    site: siteOf(request),
    flowCookie: readFlowCookie(request.headers.cookie, clientOf(request.raw).secure),
    lastEventId: headerOf(request, 'last-event-id'),
    path: pathOf(request.url),
    acceptEncoding: headerOf(request, 'accept-encoding') ?? '',
    wantsHtml: headerOf(request, 'accept')?.includes('text/html') ?? false,
    audit: parts.audit,
  };
}

/** Whose budget of calls the call draws on. */
const callerOf = (principal: Principal, request: FastifyRequest): string =>
  principal.kind === 'anonymous' ? addressBucket(addressOf(request)) : credentialId(principal);

export function createCallGuard(context: AdminContext): CallGuard {
  const rates = createRateLimit(context.clock);
  const principals = new WeakMap<FastifyRequest, Principal>();

  async function identify(request: FastifyRequest): Promise<Principal> {
    try {
      const principal = await authenticate(request.raw, context);
      if (principal.kind === 'key') context.keyAddresses.seen(principal.key.id, addressOf(request));
      return principal;
    } catch (error) {
      rates.take('sign-in', addressBucket(addressOf(request))); // guessing keys is as slow as guessing passwords
      throw error;
    }
  }

  const auditOf = (route: AdminRoute, request: FastifyRequest, principal: Principal) =>
    openCallAudit(context, { route, principal, requestId: request.id, origin: originOf(request) });

  return {
    async admit(route, request) {
      const principal = await identify(request);
      principals.set(request, principal);
      try {
        authorise(route, principal);
        const parts = { request: request.raw, context };
        await assertComesFromWorkspace(route, principal, parts);
        assertNotForged(route, principal, parts);
        if (principal.kind !== 'local') rates.take(route.rateClass, callerOf(principal, request));
      } catch (error) {
        // Whoever has no credential at all could fill the log: those are counted, not written down.
        if (principal.kind !== 'anonymous') await auditOf(route, request, principal).failed(error);
        throw error;
      }
    },
    async act(route, request) {
      const principal: Principal = principals.get(request) ?? { kind: 'anonymous' };
      const audit = auditOf(route, request, principal);
      const call = callOf(request, principal, { audit, firstWorkspaceId: context.firstWorkspaceId });
      try {
        const outcome = await route.run(call);
        await concluded(audit, outcome, route);
        return { call, outcome };
      } catch (error) {
        await audit.failed(error);
        throw error;
      }
    },
    record(route, request, status) {
      if (route.audit === 'none') return;
      const principal = principals.get(request);
      const address = addressOf(request);
      context.logger.info('administrative act', {
        requestId: request.id,
        method: route.method,
        route: route.path,
        status,
        reason: route.audit,
        ...(address === null ? {} : { address }),
        ...(principal?.kind === 'session' ? { userId: principal.session.user.id } : {}),
        ...(principal?.kind === 'key' ? { keyId: principal.key.id } : {}),
      });
    },
  };
}

/** A browser that is sent on because something was wrong was refused all the same. */
function concluded(audit: OpenCallAudit, outcome: Outcome, route: AdminRoute): Promise<void> {
  if (outcome.kind === 'redirect' && outcome.problem !== undefined) return audit.failed(outcome.problem);
  return audit.succeeded('status' in outcome ? outcome.status : route.status);
}

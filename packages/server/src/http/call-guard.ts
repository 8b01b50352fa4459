import type { FastifyRequest } from 'fastify';
import type { AdminContext } from '../admin/admin-deps.ts';
import type { AdminRoute, RawCall } from '../admin/route.ts';
import { addressBucket } from '../identity/login-throttle.ts';
import { credentialId, type Principal } from '../identity/principal.ts';
import { assertNotForged, authenticate, authorise } from './authenticate.ts';
import { createRateLimit } from './rate-limit.ts';
import { clientOf } from './request-marks.ts';

/** What stands between a request and its handler, in this order: who, may they, did they mean it, how often. */
export interface CallGuard {
  admit(route: AdminRoute, request: FastifyRequest): Promise<void>;
  /** The admitted call, as handlers see it. */
  callOf(request: FastifyRequest): RawCall;
  /** Notes who did what, for rows that are to be recorded. */
  record(route: AdminRoute, request: FastifyRequest, status: number): void;
}

const addressOf = (request: FastifyRequest): string | null => clientOf(request.raw).address;

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '/';

export function createCallGuard(context: AdminContext): CallGuard {
  const rates = createRateLimit(context.clock);
  const principals = new WeakMap<FastifyRequest, Principal>();

  async function identify(request: FastifyRequest): Promise<Principal> {
    try {
      return await authenticate(request.raw, context);
    } catch (error) {
      rates.take('sign-in', addressBucket(addressOf(request))); // guessing keys is as slow as guessing passwords
      throw error;
    }
  }

  const callerOf = (principal: Principal, request: FastifyRequest): string =>
    principal.kind === 'anonymous' ? addressBucket(addressOf(request)) : credentialId(principal);

  return {
    async admit(route, request) {
      const principal = await identify(request);
      principals.set(request, principal);
      authorise(route, principal);
      assertNotForged(route, principal, { request: request.raw, context });
      if (principal.kind !== 'local') rates.take(route.rateClass, callerOf(principal, request));
    },
    callOf(request) {
      return {
        principal: principals.get(request) ?? { kind: 'anonymous' },
        params: request.params,
        query: request.query,
        body: request.body,
        requestId: request.id,
        origin: { address: addressOf(request), userAgent: headerOf(request, 'user-agent') },
        lastEventId: headerOf(request, 'last-event-id'),
        path: pathOf(request.url),
        acceptEncoding: headerOf(request, 'accept-encoding') ?? '',
        wantsHtml: headerOf(request, 'accept')?.includes('text/html') ?? false,
      };
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

import type { IncomingMessage } from 'node:http';
import type { AdminContext } from '../admin/admin-deps.ts';
import { type RouteRow, WORKSPACE_HEADER } from '../admin/route.ts';
import type { SessionStage } from '../identity/access.ts';
import { authenticateKey } from '../identity/key-lookup.ts';
import {
  installationPermissionsOf,
  type Principal,
  permissionsOf,
  workspaceOf,
} from '../identity/principal.ts';
import { createAddressSet } from '../kernel/address-set.ts';
import { assertCallerAllowed, compileCallerLimits } from '../kernel/caller-limits.ts';
import { AppError } from '../kernel/errors.ts';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import { clientAddressOf, clientOf, isLocal, isSecure } from './request-marks.ts';
import { assertSameOrigin } from './same-origin.ts';
import { readSessionCookie } from './session-cookie.ts';

const ANONYMOUS: Principal = { kind: 'anonymous' };
const INSTALLATION_ONLY =
  'This concerns the whole installation: it takes a role with this permission in the first workspace.';

/**
 * The API key of a request: `Authorization: Bearer` or one of the headers for keys. When there are several they must
 * agree, as at the gate, so that nobody can wonder which one counted.
 */
function sentKey({ headers }: IncomingMessage): string | null {
  const { authorization } = headers;
  let key = authorization === undefined ? null : (/^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '');
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') continue;
    if (key !== null && key !== value) {
      throw new AppError('invalid_api_key', {
        detail: 'This request carries different keys in different headers. Send one of them.',
      });
    }
    key = value;
  }
  return key;
}

/** Limits on addresses and origins hold here as at the gate; those on models and providers have nothing to limit. */
function assertLimitsAllow(principal: Principal, request: IncomingMessage): void {
  if (principal.kind !== 'key' || principal.key.restrictions === null) return;
  const limits = compileCallerLimits(principal.key.restrictions);
  if (limits !== null) {
    const address = clientAddressOf(request) ?? undefined;
    assertCallerAllowed(limits, { address, origin: request.headers.origin });
  }
}

/** The command line names the workspace it means; without a name it is the first one. */
async function namedWorkspace(
  { headers }: IncomingMessage,
  { store, firstWorkspaceId }: AdminContext,
): Promise<string> {
  const named = headers[WORKSPACE_HEADER];
  if (named === undefined) return firstWorkspaceId;
  const workspace = (await store.config.listWorkspaces()).find(
    ({ slug, id }) => slug === named || id === named,
  );
  if (workspace !== undefined) return workspace.id;
  throw new AppError('resource_not_found', {
    detail: 'There is no workspace with that slug. "tallygate workspaces list" shows them.',
  });
}

/**
 * Finds out who is calling. A key that was sent decides, even when a cookie came as well: whoever sends a wrong key
 * must not fall back to something else.
 * @throws AppError `invalid_api_key`, `expired_api_key` or `key_restricted`
 */
export async function authenticate(request: IncomingMessage, context: AdminContext): Promise<Principal> {
  if (isLocal(request)) return { kind: 'local', workspaceId: await namedWorkspace(request, context) };
  const key = sentKey(request);
  if (key !== null) {
    const principal = await authenticateKey(key, { ...context, store: context.store.config });
    assertLimitsAllow(principal, request);
    return principal;
  }
  const token = readSessionCookie(request.headers.cookie, isSecure(request));
  if (token === null) return ANONYMOUS;
  const session = await context.sessions.find(token);
  return session === null ? ANONYMOUS : { kind: 'session', session, token };
}

/**
 * Decides whether the caller may use the row.
 * @throws AppError `session_required` for nobody, `permission_denied` for the wrong body, `second_factor_required`
 * or `second_factor_missing` for a session that still owes one
 */
export function authorise(row: RouteRow, principal: Principal): void {
  if (row.access === 'public') return;
  if (row.access === 'local') return assertLocal(principal);
  if (principal.kind === 'anonymous') throw new AppError('session_required');
  if (principal.kind === 'session') assertStage(row, principal.session.stage);
  if (row.access === 'session' && principal.kind !== 'session') {
    throw new AppError('permission_denied', {
      detail: 'This is for signed-in people; a key has no session.',
    });
  }
  if (row.access === 'session' && row.permission === null) return;
  const held = row.reach === 'installation' ? installationPermissionsOf(principal) : permissionsOf(principal);
  if (row.permission !== null && held.has(row.permission)) return;
  throw new AppError('permission_denied', row.reach === 'installation' ? { detail: INSTALLATION_ONLY } : {});
}

function assertLocal(principal: Principal): void {
  if (principal.kind === 'local') return;
  if (principal.kind === 'anonymous') throw new AppError('session_required');
  throw new AppError('permission_denied', {
    detail: 'This works only on the machine of the server, through the command line.',
  });
}

/** Until the second factor is settled a session is good for nothing else (CF-13). */
function assertStage(row: RouteRow, stage: SessionStage): void {
  if (row.stages.includes(stage)) return;
  throw new AppError(stage === 'enrol' ? 'second_factor_missing' : 'second_factor_required');
}

/**
 * A workspace can say where its people and keys may come from. Rows about the caller alone stay open, so that somebody
 * can sign out or look at another workspace; the machine of the server itself is not concerned.
 * @throws AppError `client_not_allowed`
 */
export async function assertComesFromWorkspace(
  row: RouteRow,
  principal: Principal,
  parts: { request: IncomingMessage; context: AdminContext },
): Promise<void> {
  if (row.permission === null || principal.kind === 'local') return;
  const workspaceId = workspaceOf(principal);
  const workspaces = await parts.context.store.config.listWorkspaces();
  const allowed = workspaces.find(({ id }) => id === workspaceId)?.allowedAddresses ?? [];
  if (allowed.length === 0 || createAddressSet(allowed).has(clientAddressOf(parts.request) ?? '')) return;
  throw new AppError('client_not_allowed');
}

/**
 * Cookies are sent by browsers on their own, so a write that rests on one has to prove that our page made it
 * (TW-15). Keys and the local socket are exempt: no browser adds those.
 * @throws AppError `csrf_failed`
 */
export function assertNotForged(
  row: RouteRow,
  principal: Principal,
  parts: { request: IncomingMessage; context: AdminContext },
): void {
  if (row.csrf === 'none' || principal.kind === 'key' || principal.kind === 'local') return;
  const { headers } = parts.request;
  assertSameOrigin(headers, clientOf(parts.request));
  if (row.csrf === 'origin' || principal.kind !== 'session') return;
  const sent = headers['x-csrf-token'];
  if (typeof sent !== 'string' || !parts.context.sessions.csrfMatches(principal.session, sent)) {
    throw new AppError('csrf_failed');
  }
}

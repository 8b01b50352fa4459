import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { AppError } from '../kernel/errors.ts';
import type { ApiKeyRow } from '../store/store.ts';
import { ALL_PERMISSIONS, type Permission, permissionsIn } from './permissions.ts';
import type { LiveSession } from './sessions.ts';

/**
 * Who is calling. `anonymous` sent no credential. `local` is whoever may open the owner-only socket: the owner of the
 * machine account. `first`: the key belongs to the installation's first workspace.
 */
export type Principal =
  | { kind: 'anonymous' }
  | { kind: 'local'; workspaceId: string }
  | { kind: 'session'; session: LiveSession; token: string }
  | { kind: 'key'; key: ApiKeyRow; boundProjectId: string | null; first: boolean };

const SCOPE_PERMISSIONS: Readonly<Partial<Record<KeyScope, ReadonlySet<Permission>>>> = {
  gateway: new Set<Permission>(['api.request']),
  read: new Set<Permission>(['usage.view', 'logs.view', 'metrics.view', 'budgets.view']),
  admin: ALL_PERMISSIONS,
};

const NOTHING: ReadonlySet<Permission> = new Set();

/** What the caller may do in its workspace: by role, or by the scopes of its key. Unknown roles and scopes carry nothing. */
export function permissionsOf(principal: Principal): ReadonlySet<Permission> {
  if (principal.kind === 'local') return ALL_PERMISSIONS;
  if (principal.kind === 'session') return principal.session.permissions;
  return principal.kind === 'key' ? permissionsOfScopes(principal.key.scopes, principal.first) : NOTHING;
}

/** What the caller may do to the whole installation: what it may in the first workspace. */
export function installationPermissionsOf(principal: Principal): ReadonlySet<Permission> {
  if (principal.kind === 'session') return principal.session.installationPermissions;
  return principal.kind === 'key' && !principal.first ? NOTHING : permissionsOf(principal);
}

/** What a key with these scopes may do, of the first workspace or of another. */
export function permissionsOfScopes(scopes: readonly KeyScope[], first: boolean): ReadonlySet<Permission> {
  const all = new Set(scopes.flatMap((scope) => [...(SCOPE_PERMISSIONS[scope] ?? [])]));
  return first ? all : permissionsIn(all, NOTHING);
}

/** The workspace that the call is about; null for a caller without a credential. */
export function workspaceOf(principal: Principal): string | null {
  if (principal.kind === 'session') return principal.session.workspaceId;
  if (principal.kind === 'key') return principal.key.workspaceId;
  return principal.kind === 'local' ? principal.workspaceId : null;
}

/** True when the caller's role or one of its key's scopes carries the permission. */
export function allows(principal: Principal, permission: Permission): boolean {
  return permissionsOf(principal).has(permission);
}

/**
 * Nobody hands out, changes or takes away what they do not hold themselves (CF-14).
 * @param what the thing that carries the permissions, as the sentence's object
 * @throws AppError `permission_denied` that names what is missing
 */
export function assertHolds(principal: Principal, permissions: Iterable<Permission>, what: string): void {
  const held = permissionsOf(principal);
  const missing = [...permissions].filter((permission) => !held.has(permission));
  if (missing.length === 0) return;
  throw new AppError('permission_denied', {
    detail: `You may not manage ${what}: it carries ${missing.join(', ')}, which you do not hold yourself. Ask somebody who does.`,
  });
}

/** The key scopes that carry the permission, for the route table and the documentation. */
export function scopesWith(permission: Permission): KeyScope[] {
  return KEY_SCOPES.filter((scope) => SCOPE_PERMISSIONS[scope]?.has(permission));
}

/** The only project whose figures the caller may see; null when it may see the whole workspace. */
export function visibleProject(principal: Principal): string | null {
  return principal.kind === 'key' ? principal.boundProjectId : null;
}

/** Identifies the caller's credential, for ending what it keeps open when it is revoked. */
export function credentialId(principal: Principal): string {
  if (principal.kind === 'session') return sessionCredential(principal.session.row.idHash);
  return principal.kind === 'key' ? keyCredential(principal.key.id) : principal.kind;
}

export const sessionCredential = (idHash: string): string => `session:${idHash}`;
export const keyCredential = (keyId: string): string => `key:${keyId}`;

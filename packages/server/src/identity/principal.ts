import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import type { ApiKeyRow } from '../store/store.ts';
import type { LiveSession } from './sessions.ts';

/** What a caller may do on the admin side. Roles and key scopes are sets of these. */
export const PERMISSIONS = [
  'usage.view',
  'metrics.view',
  'keys.manage',
  'projects.manage',
  'accounts.manage',
  'prices.manage',
  'audit.view',
  'budgets.view',
  'budgets.manage',
  'system.view',
  'system.manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Who is calling. `anonymous` sent no credential. `local` is whoever may open the owner-only socket: the owner of the machine account. */
export type Principal =
  | { kind: 'anonymous' }
  | { kind: 'local' }
  | { kind: 'session'; session: LiveSession; token: string }
  | { kind: 'key'; key: ApiKeyRow; boundProjectId: string | null };

const ALL: ReadonlySet<Permission> = new Set(PERMISSIONS);
const NOTHING: ReadonlySet<Permission> = new Set();
const ROLE_PERMISSIONS: Readonly<Record<string, ReadonlySet<Permission>>> = { owner: ALL };
const SCOPE_PERMISSIONS: Readonly<Partial<Record<KeyScope, ReadonlySet<Permission>>>> = {
  read: new Set<Permission>(['usage.view', 'metrics.view', 'budgets.view']),
  admin: ALL,
};

/** True when the caller's role or one of its key's scopes carries the permission. Unknown roles carry none. */
export function allows(principal: Principal, permission: Permission): boolean {
  if (principal.kind === 'anonymous') return false;
  if (principal.kind === 'local') return true;
  if (principal.kind === 'session') {
    return (ROLE_PERMISSIONS[principal.session.user.role] ?? NOTHING).has(permission);
  }
  return principal.key.scopes.some((scope) => (SCOPE_PERMISSIONS[scope] ?? NOTHING).has(permission));
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

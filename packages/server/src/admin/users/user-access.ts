import type { Permission } from '../../identity/permissions.ts';
import { assertHolds, installationPermissionsOf, type Principal } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MemberRow } from '../../store/ports/people.ts';
import type { AdminContext } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import type { Caller } from '../route.ts';

type Parts = Pick<AdminContext, 'store' | 'access'>;

const ownsInstallation = (principal: Principal): boolean =>
  installationPermissionsOf(principal).has('system.manage');

/** Somebody of several workspaces is nobody's alone: their sign-in is the installation's business. */
const isManaged = (member: MemberRow, principal: Principal): boolean =>
  member.workspaceIds.length === 1 || ownsInstallation(principal);

/** The people of the workspace whose sign-in and sessions the caller may look at. */
export async function managedPeople(
  { store }: Parts,
  { principal, workspaceId }: Caller,
): Promise<MemberRow[]> {
  const members = await store.people.listMembers(workspaceId);
  return members.filter((member) => isManaged(member, principal));
}

/**
 * The member of the caller's workspace, when the caller holds everything the member's role carries: otherwise a reset
 * password or an ended session would be a way to more than one has. Acts on the person rather than the membership
 * reach into every workspace of theirs, so those of somebody who belongs to several take an owner of the installation.
 * @throws AppError `resource_not_found` or `permission_denied`
 */
export async function assertMayManage(
  { store, access }: Parts,
  { principal, workspaceId }: Caller,
  { userId, as }: { userId: string; as: 'member' | 'person' },
): Promise<MemberRow> {
  const member = (await store.people.listMembers(workspaceId)).find((row) => row.id === userId);
  if (!member) throw new AppError('resource_not_found');
  const permissions = (await access.permissionsOfRole(member.role, workspaceId)) ?? [];
  assertHolds(principal, permissions, `the user ${member.username}`);
  if (as === 'member' || isManaged(member, principal)) return member;
  throw new AppError('permission_denied', {
    detail: `${member.username} belongs to other workspaces too, so only an owner of the installation may do this.`,
  });
}

/**
 * Refuses to hand out a role that does not exist or carries more than the caller holds.
 * @throws AppError `invalid_request` or `permission_denied`
 */
export async function assertMayGrant(
  { access }: Parts,
  { principal, workspaceId }: Caller,
  role: string,
): Promise<void> {
  const permissions: ReadonlySet<Permission> | null = await access.permissionsOfRole(role, workspaceId);
  if (permissions === null) {
    throw invalidInput([{ in: 'body', path: 'role', message: 'is not the name of a role' }]);
  }
  assertHolds(principal, permissions, `the role ${role}`);
}

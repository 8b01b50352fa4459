import type { Permission } from '../../identity/permissions.ts';
import { assertHolds, type Principal } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { UserListRow } from '../../store/ports/people.ts';
import type { AdminContext } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';

type Parts = Pick<AdminContext, 'store' | 'access'>;

/**
 * The user, when the caller holds everything the user's role carries: otherwise a reset password or an ended
 * session would be a way to more than one has.
 * @throws AppError `resource_not_found` or `permission_denied`
 */
export async function assertMayManage(
  { store, access }: Parts,
  principal: Principal,
  userId: string,
): Promise<UserListRow> {
  const user = (await store.people.listUsers()).find((row) => row.id === userId);
  if (!user) throw new AppError('resource_not_found');
  const permissions = (await access.permissionsOfRole(user.role)) ?? [];
  assertHolds(principal, permissions, `the user ${user.username}`);
  return user;
}

/**
 * Refuses to hand out a role that does not exist or carries more than the caller holds.
 * @throws AppError `invalid_request` or `permission_denied`
 */
export async function assertMayGrant({ access }: Parts, principal: Principal, role: string): Promise<void> {
  const permissions: ReadonlySet<Permission> | null = await access.permissionsOfRole(role);
  if (permissions === null) {
    throw invalidInput([{ in: 'body', path: 'role', message: 'is not the name of a role' }]);
  }
  assertHolds(principal, permissions, `the role ${role}`);
}

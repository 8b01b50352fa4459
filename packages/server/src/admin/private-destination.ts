import type { Permission } from '../identity/permissions.ts';
import { installationPermissionsOf, type Principal } from '../identity/principal.ts';
import { AppError } from '../kernel/errors.ts';

/**
 * What stands behind this server belongs to the whole installation. Somebody of another workspace reaches only what
 * the operator's list names; an account or a channel of theirs cannot open the way itself (TW-17).
 * @param opens the field and whether it asks for private addresses
 * @throws AppError `permission_denied` that says who may, and what else there is
 */
export function assertMayReachPrivate(
  principal: Principal,
  permission: Permission,
  opens: { field: string; asked: boolean },
): void {
  if (!opens.asked || installationPermissionsOf(principal).has(permission)) return;
  throw new AppError('permission_denied', {
    detail: `Addresses on this machine and in private networks concern the whole installation: ${opens.field} takes a role with ${permission} in the first workspace. Ask its owner to name the address in EGRESS_ALLOW_HOSTS, and set ${opens.field} to false.`,
  });
}

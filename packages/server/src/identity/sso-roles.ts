import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Store } from '../store/store.ts';
import type { AccessRules } from './access.ts';
import type { OidcClaims } from './oidc-client.ts';
import type { SsoRules } from './sso.ts';

/** A role in a workspace. */
export interface SsoPlace {
  workspaceId: string;
  /** Slug, for people. */
  workspace: string;
  role: string;
}

/** What somebody was and is, after their groups changed. */
export interface RoleMove {
  before: string;
  after: string;
}

interface RoleParts {
  store: Pick<Store, 'people' | 'config'>;
  access: AccessRules;
  clock: Clock;
  rules: Pick<SsoRules, 'roleClaim' | 'roleMap' | 'defaultRole'>;
  firstWorkspaceId: string;
}

/** The value at a claim's name, or along its dots. */
export function claimAt(claims: OidcClaims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** A grant of the settings with the place it leads to, or why it leads nowhere. */
export interface CheckedGrant {
  group: string | null;
  role: string;
  workspace: string;
  workspaceId: string | null;
  problem: string | null;
}

/** Every grant of the settings, in their order and the default last, checked against roles and workspaces of now. */
export async function checkedGrants({
  store,
  access,
  rules,
  firstWorkspaceId,
}: Omit<RoleParts, 'clock'>): Promise<CheckedGrant[]> {
  const workspaces = await store.config.listWorkspaces();
  const first = workspaces.find(({ id }) => id === firstWorkspaceId)?.slug ?? 'default';
  const wanted = [
    ...rules.roleMap.map(({ group, role, workspace = first }) => ({ group, role, workspace })),
    ...(rules.defaultRole === null ? [] : [{ group: null, role: rules.defaultRole, workspace: first }]),
  ];
  const checked: CheckedGrant[] = [];
  for (const grant of wanted) {
    const workspaceId = workspaces.find(({ slug }) => slug === grant.workspace)?.id ?? null;
    const known = workspaceId !== null && (await access.permissionsOfRole(grant.role, workspaceId)) !== null;
    const role = known ? null : `There is no role "${grant.role}".`;
    const problem = workspaceId === null ? `There is no workspace "${grant.workspace}".` : role;
    checked.push({ ...grant, workspaceId, problem });
  }
  return checked;
}

/**
 * Which role somebody has where: in each workspace that of the first group they have, or the default for who is in none.
 * @throws AppError `sso_not_allowed`, also when a group leads to a role or workspace that is not there
 */
export async function placesFor(parts: RoleParts, claims: OidcClaims): Promise<SsoPlace[]> {
  const claimed = claimAt(claims, parts.rules.roleClaim);
  const groups = new Set(Array.isArray(claimed) ? claimed : [claimed]);
  const grants = await checkedGrants(parts);
  const fitting = grants.filter(({ group }) => group !== null && groups.has(group));
  const places = new Map<string, SsoPlace>();
  for (const grant of fitting.length > 0 ? fitting : grants.filter(({ group }) => group === null)) {
    const { workspace, workspaceId, role, problem } = grant;
    if (places.has(workspace)) continue;
    if (workspaceId === null || problem !== null) {
      throw new AppError('sso_not_allowed', { cause: new Error(problem ?? 'the grant leads nowhere') });
    }
    places.set(workspace, { workspaceId, workspace, role });
  }
  if (places.size === 0) throw new AppError('sso_not_allowed');
  return [...places.values()];
}

/** `developer admin@research`, as the settings have it: a bare role is one in the first workspace. For the audit log. */
export const rolesText = (places: readonly SsoPlace[], firstWorkspaceId: string): string =>
  places
    .map(({ role, workspace, workspaceId }) =>
      workspaceId === firstWorkspaceId ? role : `${role}@${workspace}`,
    )
    .join(' ');

/** Two browsers of one person at the same moment: the other one made the membership, to the same role. */
function unlessTaken(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'name_taken') throw error;
}

/**
 * The provider says what somebody may do in every workspace that its groups lead to; memberships elsewhere are left.
 * The last owner of a workspace stays one all the same.
 */
export async function followGroups(
  parts: RoleParts,
  userId: string,
  claims: OidcClaims,
): Promise<RoleMove | null> {
  const { people } = parts.store;
  const places = await placesFor(parts, claims);
  const governed = await checkedGrants(parts);
  const memberships = await people.listMemberships(userId);
  const before: SsoPlace[] = [];
  const after: SsoPlace[] = [];
  // Those that are new come first: with the last membership the user would go.
  for (const place of places) {
    const ref = { userId, workspaceId: place.workspaceId };
    const here = memberships.find(({ workspaceId }) => workspaceId === place.workspaceId);
    if (here === undefined) {
      await people.addMember({ ...ref, role: place.role, createdAtMs: parts.clock.now() }).catch(unlessTaken);
      after.push(place);
      continue;
    }
    before.push({ ...place, role: here.role });
    const stays =
      here.role === place.role || (await people.updateMember(ref, { role: place.role })) !== 'changed';
    after.push(stays ? { ...place, role: here.role } : place);
  }
  for (const { workspaceId, role } of memberships) {
    const grant = governed.find((one) => one.workspaceId === workspaceId);
    if (grant === undefined || places.some((place) => place.workspaceId === workspaceId)) continue;
    const place = { workspaceId, workspace: grant.workspace, role };
    before.push(place);
    if ((await people.removeMember({ userId, workspaceId })) !== 'changed') after.push(place);
  }
  const [was, is] = [before, after].map((all) => rolesText(all, parts.firstWorkspaceId));
  const move = { before: was ?? '', after: is ?? '' };
  return move.before === move.after ? null : move;
}

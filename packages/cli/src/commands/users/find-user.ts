import type { UserView } from '@tallygate/contract/api/people';
import { foldUsername } from '@tallygate/contract/username';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

/**
 * The user with this id or user name, in whatever case.
 * @throws CliError `resource_not_found`
 */
export async function findUser(api: AdminApi, wanted: string): Promise<UserView> {
  const { users } = await api.users.list();
  const folded = foldUsername(wanted);
  const named = users.find((user) => foldUsername(user.username) === folded);
  return findResource(
    named?.username ?? wanted,
    users.map((user) => ({ ...user, name: user.username })),
    'user',
  );
}

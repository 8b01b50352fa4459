import type { UserView } from '@tallygate/contract/api/people';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

/**
 * The user with this id or user name.
 * @throws CliError `resource_not_found`
 */
export async function findUser(api: AdminApi, wanted: string): Promise<UserView> {
  const { users } = await api.users.list();
  return findResource(
    wanted,
    users.map((user) => ({ ...user, name: user.username })),
    'user',
  );
}

import type { WorkspaceView } from '@tallygate/contract/api/workspaces';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

/**
 * The workspace with this id or slug.
 * @throws CliError `resource_not_found`
 */
export async function findWorkspace(api: AdminApi, wanted: string): Promise<WorkspaceView> {
  const { workspaces } = await api.workspaces.list();
  const named = workspaces.map(({ id, slug }) => ({ id, name: slug }));
  const { id } = findResource(wanted, named, 'workspace');
  return workspaces.find((workspace) => workspace.id === id) as WorkspaceView;
}

import { Button } from '@mantine/core';
import type { RoleView } from '@tallygate/contract/api/people';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { rolesQuery } from '../../app/api/queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { Section, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { RoleForm } from './role-form.tsx';
import classes from './roles.module.css';

/** Every role with what it carries; one's own can be changed. */
export function Roles() {
  const roles = useQuery(rolesQuery(useApi()));
  const [editing, setEditing] = useState<RoleView | 'new' | null>(null);
  return (
    <Section
      title="Roles"
      tools={
        <Button size="xs" variant="default" onClick={() => setEditing('new')} disabled={!roles.data}>
          New role
        </Button>
      }
    >
      {roles.isPending && (
        <SectionState>
          <SkeletonLines lines={5} />
        </SectionState>
      )}
      {roles.isError && !roles.data && (
        <ErrorState error={roles.error} onRetry={() => void roles.refetch()} />
      )}
      {roles.data && <RoleTable roles={roles.data.roles} onEdit={setEditing} />}
      {editing !== null && roles.data && (
        <RoleForm
          role={editing === 'new' ? null : editing}
          permissions={roles.data.permissions}
          onClose={() => setEditing(null)}
        />
      )}
    </Section>
  );
}

function RoleTable({ roles, onEdit }: { roles: RoleView[]; onEdit: (role: RoleView) => void }) {
  return (
    <ListTable columns={['Role', 'Carries']} acts>
      {roles.map((role) => (
        <tr key={role.name}>
          <th scope="row" className={list.name}>
            {role.name}
            {!role.builtIn && <span className={list.state}>own</span>}
          </th>
          <td data-label="Carries" className={classes.permissions}>
            {role.permissions.join(', ')}
          </td>
          <td className={list.actions}>
            {!role.builtIn && role.grantable && (
              <Button
                size="xs"
                variant="default"
                onClick={() => onEdit(role)}
                aria-label={`Change the role ${role.name}`}
              >
                Change
              </Button>
            )}
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

import { Button, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { WorkspaceView } from '@tallygate/contract/api/workspaces';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { workspacesQuery } from '../../app/api/security-queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import list from '../../ui/list-table.module.css';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { EditAddresses } from './edit-addresses.tsx';
import { AddMember, NewWorkspace, RenameWorkspace } from './workspace-dialogs.tsx';

type Act = 'addresses' | 'rename' | 'member';
type Open = { act: Act; workspace: WorkspaceView } | 'new' | null;

/** The workspaces of the installation: who is in them, and from where their people and keys may come. */
export function Workspaces({ mayChange }: { mayChange: boolean }) {
  const query = useQuery(workspacesQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <Section
      title="Workspaces"
      tools={
        mayChange && (
          <Button size="xs" variant="default" onClick={() => setOpen('new')}>
            New workspace
          </Button>
        )
      }
    >
      <SectionBody>
        <p>
          Each has its own keys, accounts, budgets, figures and people. People and keys of a workspace come
          from the addresses it allows, and others are refused. A single key is narrowed further under{' '}
          <Link to="/keys">Keys</Link>, with “Limits”.
        </p>
      </SectionBody>
      {query.isPending && (
        <SectionState>
          <SkeletonLines lines={2} />
        </SectionState>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && (
        <WorkspaceTable
          rows={query.data.workspaces}
          onAct={mayChange ? (act, workspace) => setOpen({ act, workspace }) : null}
        />
      )}
      {open === 'new' && <NewWorkspace onClose={close} />}
      {open !== null && open !== 'new' && <WorkspaceDialog {...open} onClose={close} />}
    </Section>
  );
}

function WorkspaceDialog(props: { act: Act; workspace: WorkspaceView; onClose: () => void }) {
  const { act, ...rest } = props;
  if (act === 'addresses') return <EditAddresses {...rest} />;
  if (act === 'rename') return <RenameWorkspace {...rest} />;
  return <AddMember {...rest} />;
}

function WorkspaceTable(props: {
  rows: WorkspaceView[];
  onAct: ((act: Act, workspace: WorkspaceView) => void) | null;
}) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          <th scope="col">Workspace</th>
          <th scope="col">Allowed addresses</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr key={row.id}>
            <th scope="row" className={list.name}>
              {row.name}
            </th>
            <td data-label="Allowed">{row.allowedAddresses.join(', ') || 'any'}</td>
            <td className={list.actions}>{props.onAct !== null && <Acts row={row} onAct={props.onAct} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Acts(props: { row: WorkspaceView; onAct: (act: Act, workspace: WorkspaceView) => void }) {
  const { row, onAct } = props;
  return (
    <Menu position="bottom-end" width={220} shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className={list.more} aria-label={`Actions for ${row.name}`}>
          <IconDots size={18} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onAct('addresses', row)}>Allowed addresses</Menu.Item>
        <Menu.Item onClick={() => onAct('member', row)}>Add somebody</Menu.Item>
        <Menu.Item onClick={() => onAct('rename', row)}>Rename</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

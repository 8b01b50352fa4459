import { Button } from '@mantine/core';
import type { InvitationView } from '@tallygate/contract/api/people';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { invitationsQuery } from '../../app/api/queries.ts';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { Section, SectionBody } from '../../ui/section.tsx';
import { usePeopleChange } from './use-people-change.ts';

/** Links that nobody has used yet. */
export function Invitations() {
  const api = useApi();
  const invitations = useQuery(invitationsQuery(api));
  const withdraw = usePeopleChange(
    (id: string) => api.send('DELETE', `/api/invitations/${encodeURIComponent(id)}`),
    { done: 'Invitation withdrawn. Its link is worth nothing now.' },
  );
  const open = invitations.data?.invitations ?? [];
  return (
    <Section title="Open invitations">
      {invitations.isError && (
        <ErrorState error={invitations.error} onRetry={() => void invitations.refetch()} />
      )}
      {invitations.data && open.length === 0 && (
        <SectionBody>
          <p>None. An invitation is a link that you hand over yourself; no mail server is needed.</p>
        </SectionBody>
      )}
      {withdraw.isError && <FormError error={withdraw.error} />}
      {open.length > 0 && (
        <InvitationTable
          invitations={open}
          pending={withdraw.isPending}
          onWithdraw={(id) => withdraw.mutate(id)}
        />
      )}
    </Section>
  );
}

function InvitationTable(props: {
  invitations: InvitationView[];
  pending: boolean;
  onWithdraw: (id: string) => void;
}) {
  return (
    <ListTable columns={['For', 'Role', 'From', 'Ends']} acts>
      {props.invitations.map((invitation) => (
        <tr key={invitation.id}>
          <th scope="row" className={list.name}>
            {invitation.note ?? 'not noted'}
          </th>
          <td data-label="Role">{invitation.role}</td>
          <td data-label="From">{invitation.createdBy ?? 'a key or the command line'}</td>
          <td data-label="Ends">
            <Ago at={invitation.expiresAt} />
          </td>
          <td className={list.actions}>
            <Button
              size="xs"
              variant="default"
              disabled={props.pending}
              onClick={() => props.onWithdraw(invitation.id)}
              aria-label={`Withdraw the invitation for ${invitation.note ?? invitation.role}`}
            >
              Withdraw
            </Button>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { EntryLinkView } from '@tallygate/contract/api/people';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { rolesQuery } from '../../app/api/queries.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import type { MadeLink } from './people-screen.tsx';

const EXPIRY = [
  { value: '24', label: 'One day' },
  { value: '72', label: 'Three days' },
  { value: '720', label: 'Thirty days' },
];

/** A role, a note, how long: the answer is the link. */
export function InviteForm({
  onClose,
  onInvited,
}: {
  onClose: () => void;
  onInvited: (made: MadeLink) => void;
}) {
  const api = useApi();
  const queryClient = useQueryClient();
  const roles = (useQuery(rolesQuery(api)).data?.roles ?? []).filter((role) => role.grantable);
  const fields = useForm({ initialValues: { role: 'developer', note: '', hours: '72' } });
  const invite = useMutation({
    mutationFn: ({ role, note, hours }: typeof fields.values) =>
      api.send<EntryLinkView>('POST', '/api/invitations', {
        role,
        expiresInHours: Number(hours),
        ...(note.trim() === '' ? {} : { note: note.trim() }),
      }),
    onSuccess: async (link, { role }) => {
      onInvited({ link, title: 'Invitation made', text: `Whoever opens this link joins as ${role}.` });
      await queryClient.invalidateQueries({ queryKey: ['people'] });
    },
    onError: (error) => fields.setErrors(fieldErrors(error)),
  });
  return (
    <Modal opened onClose={onClose} title="Invite" size={480}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => invite.mutate(values))} noValidate>
        <div className={form.pair}>
          <Select
            label="Role"
            description="Only roles whose permissions you hold"
            data={roles.map((role) => role.name)}
            allowDeselect={false}
            {...fields.getInputProps('role')}
          />
          <Select
            label="Works for"
            description="After that the link is worth nothing"
            data={EXPIRY}
            allowDeselect={false}
            {...fields.getInputProps('hours')}
          />
        </div>
        <TextInput
          label="For whom"
          description="To recognise it in the list; they choose their own user name."
          placeholder="Mira, support"
          {...fields.getInputProps('note')}
        />
        <FormError error={invite.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={invite.isPending}>
            Make the link
          </Button>
        </div>
      </form>
    </Modal>
  );
}

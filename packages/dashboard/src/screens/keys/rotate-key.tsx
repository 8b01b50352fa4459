import { Button, Modal, Select } from '@mantine/core';
import type { ApiKeyCreated, ApiKeyView } from '@tallygate/contract/api/keys';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';

const OVERLAPS = [
  { value: '3600', label: 'For one hour' },
  { value: '86400', label: 'For one day' },
  { value: '604800', label: 'For one week' },
  { value: '0', label: 'Not at all: end it now' },
];

interface Props {
  apiKey: ApiKeyView;
  onRotated: (key: ApiKeyCreated) => void;
  onClose: () => void;
}

/** A new secret for the same key; the old one may work on while clients are changed. */
export function RotateKey({ apiKey, onRotated, onClose }: Props) {
  const api = useApi();
  const queryClient = useQueryClient();
  const [overlap, setOverlap] = useState('3600');
  const rotate = useMutation({
    mutationFn: () =>
      api.send<ApiKeyCreated>('POST', `/api/keys/${encodeURIComponent(apiKey.id)}/rotate`, {
        overlapSeconds: Number(overlap),
      }),
    onSuccess: async (key) => {
      onRotated(key);
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Rotate key" size={460}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          rotate.mutate();
        }}
      >
        <p>
          <b>{apiKey.name}</b> gets a new secret, which is shown once. Its name, its limits and what it spent
          stay; in the ledger it is the same key.
        </p>
        <Select
          label="The old secret goes on working"
          description={
            overlap === '0'
              ? 'Requests with it fail at once, and those that are running are cut.'
              : 'Give the new one to every client within this time.'
          }
          data={OVERLAPS}
          value={overlap}
          onChange={(value) => setOverlap(value ?? '3600')}
          allowDeselect={false}
          data-autofocus
        />
        <FormError error={rotate.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={rotate.isPending}>
            Rotate key
          </Button>
        </div>
      </form>
    </Modal>
  );
}

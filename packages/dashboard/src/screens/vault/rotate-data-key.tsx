import { Button, Modal } from '@mantine/core';
import type { DataKeyRotation, VaultView } from '@tallygate/contract/api/vault';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { VAULT_QUERY } from '../../app/api/security-queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { plural } from '../../ui/format/count.ts';

/** Makes a new data key after asking once. The screen shows how far it is. */
export function RotateDataKey({ vault, busy }: { vault: VaultView; busy: boolean }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const [asked, setAsked] = useState(false);
  const readAgain = () => queryClient.invalidateQueries({ queryKey: VAULT_QUERY });
  const rotate = useMutation({
    mutationFn: () => api.send<DataKeyRotation>('POST', '/api/vault/rotate-data-key'),
    // The answer comes when all is done; what is under way is asked for meanwhile.
    onMutate: readAgain,
    onSuccess: ({ keyId, resealed }) => {
      setAsked(false);
      announce(`${plural(resealed, 'value')} sealed with the new data key ${keyId}.`);
    },
    onSettled: readAgain,
  });
  const values = vault.dataKeys.reduce((sum, key) => sum + key.values, vault.otherValues);
  return (
    <>
      <Button size="xs" variant="default" disabled={busy && !asked} onClick={() => setAsked(true)}>
        New data key
      </Button>
      {asked && (
        <Modal opened onClose={() => setAsked(false)} title="New data key" size={460}>
          <div className={form.form}>
            <p>
              {plural(values, 'value')} will be sealed anew, one at a time. Traffic goes on, and every value
              opens at every moment. Do it when a copy of the store and its master key may have got out, or
              once a year.
            </p>
            <FormError error={rotate.error} />
            <div className={form.row}>
              <Button variant="default" onClick={() => setAsked(false)}>
                Cancel
              </Button>
              <Button loading={rotate.isPending} onClick={() => rotate.mutate()}>
                Make it and seal everything
              </Button>
            </div>
          </div>
        </Modal>
      )}
    </>
  );
}

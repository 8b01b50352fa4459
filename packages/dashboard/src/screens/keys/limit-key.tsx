import { Button, Modal } from '@mantine/core';
import { keyRestrictionsRequest } from '@tallygate/contract/api/key-restrictions';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { LimitFields, type LimitTexts, limitErrors, limitsOf, limitTexts } from './limit-fields.tsx';

/** What the key may be used for. Saved as a whole and in force at once. */
export function LimitKey({ apiKey, onClose }: { apiKey: ApiKeyView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const [texts, setTexts] = useState<LimitTexts>(() => limitTexts(apiKey.restrictions));
  const [errors, setErrors] = useState<Partial<LimitTexts>>({});
  const save = useMutation({
    mutationFn: () =>
      api.send('PATCH', `/api/keys/${encodeURIComponent(apiKey.id)}`, { restrictions: limitsOf(texts) }),
    onSuccess: async () => {
      onClose();
      announce('Limits saved. They hold from now on.');
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
    },
    onError: (error) => setErrors(limitErrors(fieldErrors(error))),
  });
  const submit = (): void => {
    const problems: Partial<LimitTexts> = schemaErrors(keyRestrictionsRequest, limitsOf(texts));
    setErrors(problems);
    if (Object.keys(problems).length === 0) save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Limits of ${apiKey.name}`} size={520}>
      <form
        className={form.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <p>Separate several with commas; leave a field empty to limit nothing. Other requests answer 403.</p>
        <LimitFields values={texts} errors={errors} onChange={setTexts} />
        <FormError error={save.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save limits
          </Button>
        </div>
      </form>
    </Modal>
  );
}

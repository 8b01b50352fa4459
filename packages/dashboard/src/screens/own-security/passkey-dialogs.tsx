import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import type { PasskeyAdded, PasskeyView } from '@tallygate/contract/api/passkeys';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { PasswordDialog } from '../../app/manage/password-dialog.tsx';
import { useHasPassword } from '../../app/manage/use-has-password.ts';
import { makePasskey } from '../../app/passkey/browser-passkey.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { browserName } from '../../ui/browser-name.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { RenameDialog } from '../../ui/rename-dialog.tsx';

interface Props {
  passkey: PasskeyView;
  onClose: () => void;
}

const pathOf = (passkey: PasskeyView): string => `/api/auth/passkeys/${encodeURIComponent(passkey.id)}`;

/** A change to one's passkeys: announced, and everything of one's own read again. */
function usePasskeyChange<I, R>(
  work: (input: I) => Promise<R>,
  { done, onDone }: { done: string; onDone: (result: R) => void },
) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: work,
    onSuccess: async (result) => {
      onDone(result);
      announce(done);
      await queryClient.invalidateQueries({ queryKey: ['own'] });
    },
  });
}

/** Name and password first, then the browser's own dialog. */
export function AddPasskey(props: { onClose: () => void; onCodes: (codes: string[]) => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const [name, setName] = useState(browserName(navigator.userAgent));
  const [password, setPassword] = useState('');
  const hasPassword = useHasPassword();
  const add = usePasskeyChange(
    async () => {
      const path = '/api/auth/passkeys';
      const proof = hasPassword ? { password } : {};
      const { options } = await api.send<{ options: unknown }>('POST', `${path}/offer`, proof);
      return api.send<PasskeyAdded>('POST', path, {
        name: name.trim(),
        credential: await makePasskey(options),
      });
    },
    {
      done: 'Passkey added.',
      onDone: ({ recoveryCodes }) => {
        props.onClose();
        if (recoveryCodes !== null) props.onCodes(recoveryCodes);
        else void queryClient.invalidateQueries({ queryKey: ['me'] });
      },
    },
  );
  return (
    <Modal opened onClose={props.onClose} title="Add a passkey" size={440}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(undefined);
        }}
      >
        <p>Your browser asks where to keep it: on this device, on your phone or on a security key.</p>
        <TextInput
          label="Name"
          description="So that you recognise it later."
          value={name}
          maxLength={100}
          required
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {hasPassword && (
          <PasswordInput
            label="Your password"
            autoComplete="current-password"
            required
            data-autofocus
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        )}
        <FormError error={add.error} />
        <div className={form.row}>
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={add.isPending}
            disabled={(hasPassword && password === '') || name.trim() === ''}
          >
            Continue
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function RenamePasskey({ passkey, onClose }: Props) {
  const api = useApi();
  const rename = usePasskeyChange((name: string) => api.send('PATCH', pathOf(passkey), { name }), {
    done: 'Passkey renamed.',
    onDone: onClose,
  });
  return (
    <RenameDialog
      title="Rename the passkey"
      name={passkey.name}
      pending={rename.isPending}
      error={rename.error}
      onRename={(name) => rename.mutate(name)}
      onClose={onClose}
    />
  );
}

export function RemovePasskey({ passkey, onClose }: Props) {
  const api = useApi();
  const remove = usePasskeyChange(
    (password: string | undefined) => api.send('POST', `${pathOf(passkey)}/remove`, { password }),
    { done: 'Passkey removed. It opens nothing from now on.', onDone: onClose },
  );
  return (
    <PasswordDialog
      title={`Remove the passkey ${passkey.name}`}
      text="It opens nothing from now on. Remove it from the device too: that is done there."
      action="Remove"
      danger
      pending={remove.isPending}
      error={remove.error}
      onConfirm={(password) => remove.mutate(password)}
      onClose={onClose}
    />
  );
}

import { Button, Modal, PasswordInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { useHasPassword } from './use-has-password.ts';

interface Props {
  title: string;
  text: ReactNode;
  action: string;
  danger?: boolean;
  pending: boolean;
  error: unknown;
  /** Without a password where somebody has none: then a fresh sign-in proves who they are. */
  onConfirm: (password: string | undefined) => void;
  onClose: () => void;
}

/** Asks for the password again: an open browser is not enough for what opens everything. */
export function PasswordDialog(props: Props) {
  const [password, setPassword] = useState('');
  const hasPassword = useHasPassword();
  return (
    <Modal opened onClose={props.onClose} title={props.title} size={440}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          props.onConfirm(hasPassword ? password : undefined);
        }}
      >
        <div>{props.text}</div>
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
        <FormError error={props.error} />
        <div className={form.row}>
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            {...(props.danger ? { color: 'red' } : {})}
            loading={props.pending}
            disabled={hasPassword && password === ''}
          >
            {props.action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

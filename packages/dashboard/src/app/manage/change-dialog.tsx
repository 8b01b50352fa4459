import { Button, Modal } from '@mantine/core';
import type { FormEventHandler, ReactNode } from 'react';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';

interface Props {
  /** Of what is changed. */
  name: string;
  pending: boolean;
  error: unknown;
  onSubmit: FormEventHandler<HTMLFormElement>;
  onClose: () => void;
  /** The fields. */
  children: ReactNode;
}

/** The frame of a form that changes something: its name, what went wrong, cancel and save. */
export function ChangeDialog({ name, pending, error, onSubmit, onClose, children }: Props) {
  return (
    <Modal opened onClose={onClose} title={`Change ${name}`} size={460}>
      <form className={form.form} onSubmit={onSubmit} noValidate>
        {children}
        <FormError error={error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={pending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}

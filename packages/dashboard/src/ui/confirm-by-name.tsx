import { Button, Modal, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { FormError } from './error-state.tsx';
import form from './form.module.css';

interface Props {
  title: string;
  /** What will happen, plainly. */
  consequences: ReactNode;
  /** Has to be typed before the button works. */
  name: string;
  action: string;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** For what cannot be undone: says what it does, and asks for the name. */
export function ConfirmByName(props: Props) {
  const [typed, setTyped] = useState('');
  const matches = typed.trim() === props.name;
  return (
    <Modal opened onClose={props.onClose} title={props.title} size={460}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (matches) props.onConfirm();
        }}
      >
        <div>{props.consequences}</div>
        <TextInput
          label={
            <>
              Type <b>{props.name}</b> to confirm
            </>
          }
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <FormError error={props.error} />
        <div className={form.row}>
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" disabled={!matches} loading={props.pending}>
            {props.action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

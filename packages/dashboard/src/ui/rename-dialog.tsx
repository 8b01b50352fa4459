import { Button, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import { FormError } from './error-state.tsx';
import form from './form.module.css';

/** One field, prefilled. */
export function RenameDialog(props: {
  title: string;
  name: string;
  pending: boolean;
  error: unknown;
  onRename: (name: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState(props.name);
  return (
    <Modal opened onClose={props.onClose} title={props.title} size={420}>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          props.onRename(name.trim());
        }}
      >
        <TextInput
          label="Name"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <FormError error={props.error} />
        <div className={form.row}>
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={name.trim() === ''} loading={props.pending}>
            Rename
          </Button>
        </div>
      </form>
    </Modal>
  );
}

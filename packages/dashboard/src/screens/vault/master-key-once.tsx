import { Button, Modal } from '@mantine/core';
import { IconEye } from '@tabler/icons-react';
import { CodeBlock } from '../../ui/code-block.tsx';
import form from '../../ui/form.module.css';
import once from '../../ui/shown-once.module.css';
import classes from './vault.module.css';

/** The new master key, this once, and what happens next. It stays until somebody says that it is stored. */
export function MasterKeyOnce(props: { id: string; newKey: string; onStored: () => void }) {
  return (
    <Modal
      opened
      onClose={props.onStored}
      title="The new master key"
      size={540}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <div className={form.form}>
        <div className={once.once}>
          <IconEye size={18} aria-hidden />
          <p>
            This is the only time it is shown; the server keeps no copy. Should it get lost before the
            restart, nothing else is: take the change back and start again.
          </p>
        </div>
        <CodeBlock code={props.newKey} label="the new master key" />
        <ol className={classes.steps}>
          <li>Store it where you keep such keys, apart from the store.</li>
          <li>
            Set it as <code>TALLYGATE_MASTER_KEY</code> in the place of the present one; on every node, where
            there are several.
          </li>
          <li>
            Restart. This screen then shows the id <code>{props.id}</code>. Keep the old key as long as
            backups that were made before.
          </li>
        </ol>
        <p>Until the restart both keys open everything, so there is no hurry.</p>
        <div className={form.row}>
          <Button onClick={props.onStored}>I stored it</Button>
        </div>
      </div>
    </Modal>
  );
}

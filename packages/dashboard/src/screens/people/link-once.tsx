import { Button, Modal } from '@mantine/core';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Ago } from '../../ui/figures.tsx';
import form from '../../ui/form.module.css';
import type { MadeLink } from './people-screen.tsx';

/** The link itself, this once: whoever has it gets in with it. */
export function LinkOnce({ made, onStored }: { made: MadeLink; onStored: () => void }) {
  return (
    <Modal
      opened
      onClose={onStored}
      title={made.title}
      size={620}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <div className={form.form}>
        <p>
          {made.text} It works once, ends <Ago at={made.link.expiresAt} />, and is shown only now: hand it
          over in a way you trust.
        </p>
        <CodeBlock code={`${window.location.origin}${made.link.path}`} label="the link" />
        <div className={form.row}>
          <Button onClick={onStored}>I copied it</Button>
        </div>
      </div>
    </Modal>
  );
}

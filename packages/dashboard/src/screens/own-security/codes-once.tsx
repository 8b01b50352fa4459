import { Button, Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { CodeBlock } from '../../ui/code-block.tsx';
import form from '../../ui/form.module.css';

/** Recovery codes, this once. It stays until somebody says that they are stored. */
export function CodesOnce({ codes, onStored }: { codes: string[]; onStored: () => void }) {
  const queryClient = useQueryClient();
  return (
    <Modal
      opened
      onClose={onStored}
      title="Your recovery codes"
      size={440}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <div className={form.form}>
        <p>
          Each stands in for your app or passkey once, should you lose it. This is the only time they are
          shown; here only hashes of them are kept.
        </p>
        <CodeBlock code={codes.join('\n')} label="the recovery codes" />
        <div className={form.row}>
          <Button
            onClick={() => {
              onStored();
              // Whoever had to set it up may do everything else from now on.
              void queryClient.invalidateQueries({ queryKey: ['me'] });
            }}
          >
            I stored them
          </Button>
        </div>
      </div>
    </Modal>
  );
}

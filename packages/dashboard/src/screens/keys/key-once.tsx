import { Button } from '@mantine/core';
import { IconEye } from '@tabler/icons-react';
import type { ApiKeyCreated } from '@tallygate/contract/api/keys';
import { SnippetPicker } from '../../app/connect/snippet-picker.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import form from '../../ui/form.module.css';
import once from '../../ui/shown-once.module.css';
import classes from './key-once.module.css';

/** The key itself, this once, and what to do with it. */
export function KeyOnce({ created, onStored }: { created: ApiKeyCreated; onStored: () => void }) {
  return (
    <div className={form.form}>
      <div className={once.once}>
        <IconEye size={18} aria-hidden />
        <p>
          This is the only time the key is shown. Here only a hash of it is kept, so it cannot be shown again;
          a lost key is replaced by a new one.
        </p>
      </div>
      <CodeBlock code={created.key} label="the new key" />
      {created.scopes.includes('gateway') && (
        <section className={classes.use} aria-label="Use it">
          <h2>Use it</h2>
          <SnippetPicker apiKey={created.key} />
        </section>
      )}
      <div className={form.row}>
        <Button onClick={onStored}>I stored it</Button>
      </div>
    </div>
  );
}

import { Button, Modal, Textarea } from '@mantine/core';
import { type WorkspaceView, workspaceUpdateRequest } from '@tallygate/contract/api/workspaces';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { useWorkspaceChange } from './use-workspace-change.ts';

const listOf = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

/** From where the people and keys of a workspace may come. */
export function EditAddresses({ workspace, onClose }: { workspace: WorkspaceView; onClose: () => void }) {
  const api = useApi();
  const [text, setText] = useState(workspace.allowedAddresses.join('\n'));
  const [problem, setProblem] = useState<string | null>(null);
  const save = useWorkspaceChange(
    () =>
      api.send('PATCH', `/api/workspaces/${encodeURIComponent(workspace.id)}`, {
        allowedAddresses: listOf(text),
      }),
    { done: 'Saved. It holds from now on.', onDone: onClose },
  );
  const submit = (): void => {
    const found = schemaErrors(workspaceUpdateRequest, { allowedAddresses: listOf(text) });
    const first = Object.values(found)[0] ?? null;
    setProblem(first === null ? null : String(first));
    if (first === null) save.mutate(undefined);
  };
  return (
    <Modal opened onClose={onClose} title={`Addresses of ${workspace.name}`} size={480}>
      <form
        className={form.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <p>
          Leave your own address out, and you are refused too. On the machine of the server,{' '}
          <code>tallygate workspaces addresses</code> always works.
        </p>
        <Textarea
          label="Addresses and ranges, one a line"
          description="Nothing lets all addresses in."
          placeholder={'10.0.0.0/8\n2001:db8::/32'}
          autosize
          minRows={3}
          maxRows={12}
          value={text}
          error={problem}
          onChange={(event) => setText(event.currentTarget.value)}
          spellCheck={false}
        />
        <FormError error={save.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}

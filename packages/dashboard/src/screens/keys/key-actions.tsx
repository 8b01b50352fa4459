import type { ApiKeyView } from '@tallygate/contract/api/keys';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { Ago } from '../../ui/figures.tsx';
import { RenameDialog } from '../../ui/rename-dialog.tsx';

interface Props {
  apiKey: ApiKeyView;
  onClose: () => void;
}

function useKeyChange<Input>(send: (input: Input) => Promise<unknown>, done: string, onClose: () => void) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async () => {
      onClose();
      announce(done);
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
    },
  });
}

export function RenameKey({ apiKey, onClose }: Props) {
  const api = useApi();
  const path = `/api/keys/${encodeURIComponent(apiKey.id)}`;
  const rename = useKeyChange((name: string) => api.send('PATCH', path, { name }), 'Key renamed.', onClose);
  return (
    <RenameDialog
      title="Rename key"
      name={apiKey.name}
      pending={rename.isPending}
      error={rename.error}
      onRename={(name) => rename.mutate(name)}
      onClose={onClose}
    />
  );
}

export function RevokeKey({ apiKey, onClose }: Props) {
  const api = useApi();
  const path = `/api/keys/${encodeURIComponent(apiKey.id)}`;
  const revoke = useKeyChange(
    () => api.send('DELETE', path),
    'Key revoked. Requests with it fail from now on.',
    onClose,
  );
  return (
    <ConfirmByName
      title="Revoke key"
      name={apiKey.name}
      action="Revoke key"
      consequences={
        <p>
          Requests with <code>{apiKey.prefix}…</code> fail with 401 from now on, those that are running are
          cut, and it cannot be undone. What it spent stays in the ledger. It was last used{' '}
          {apiKey.lastUsedAt === null ? 'never' : <Ago at={apiKey.lastUsedAt} />}.
        </p>
      }
      pending={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(undefined)}
      onClose={onClose}
    />
  );
}

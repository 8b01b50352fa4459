import { useMutation, useQueryClient } from '@tanstack/react-query';
import { WORKSPACES_QUERY } from '../../app/api/security-queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';

/** A change to workspaces: says what was done, and reads anew what it may have touched. */
export function useWorkspaceChange<Input>(
  send: (input: Input) => Promise<unknown>,
  { done, onDone }: { done: string; onDone: () => void },
) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async () => {
      onDone();
      announce(done);
      await Promise.all(
        [WORKSPACES_QUERY, ['own', 'workspaces'], ['people']].map((queryKey) =>
          queryClient.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useAnnounce } from '../../ui/announce.tsx';

/** A change to people: says what was done, and reads anew what it may have touched. */
export function usePeopleChange<Input, Output>(
  send: (input: Input) => Promise<Output>,
  options: { done: string | null; onDone?: (output: Output) => void },
) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async (output) => {
      options.onDone?.(output);
      if (options.done !== null) announce(options.done);
      await queryClient.invalidateQueries({ queryKey: ['people'] });
      await queryClient.invalidateQueries({ queryKey: ['me'] }); // it may have been oneself
    },
  });
}

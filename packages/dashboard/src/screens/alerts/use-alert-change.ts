import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useAnnounce } from '../../ui/announce.tsx';

/** A change to alerts: says what was done, and reads anew what it may have touched. */
export function useAlertChange<Input, Output>(
  send: (input: Input) => Promise<Output>,
  options: {
    done: string | ((output: Output) => string) | null;
    onDone?: (output: Output) => void;
    onError?: (error: unknown) => void;
  },
) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async (output) => {
      options.onDone?.(output);
      const { done } = options;
      if (done !== null) announce(typeof done === 'string' ? done : done(output));
      await queryClient.invalidateQueries({ queryKey: ['alerts'] });
    },
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useAnnounce } from '../../ui/announce.tsx';

export interface ChangeOptions<Output> {
  /** What is said when it is done; null says nothing. */
  done: string | ((output: Output) => string) | null;
  onDone?: (output: Output) => void;
  onError?: (error: unknown) => void;
}

/**
 * A change on the server: says what was done, and reads anew what it may have touched.
 * @param keys of the queries that it touches
 */
export function useChange<Input, Output>(
  keys: readonly string[],
  send: (input: Input) => Promise<Output>,
  { done, onDone, onError }: ChangeOptions<Output>,
) {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: send,
    onSuccess: async (output) => {
      onDone?.(output);
      if (done !== null) announce(typeof done === 'string' ? done : done(output));
      await Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
    },
    ...(onError === undefined ? {} : { onError }),
  });
}

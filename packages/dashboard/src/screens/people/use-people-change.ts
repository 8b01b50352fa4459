import { type ChangeOptions, useChange } from '../../app/manage/use-change.ts';

/** A change to people; it may have been oneself. */
export function usePeopleChange<Input, Output>(
  send: (input: Input) => Promise<Output>,
  options: ChangeOptions<Output>,
) {
  return useChange(['people', 'me'], send, options);
}

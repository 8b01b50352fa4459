import { type ChangeOptions, useChange } from '../../app/manage/use-change.ts';

/** A change to alerts. */
export function useAlertChange<Input, Output>(
  send: (input: Input) => Promise<Output>,
  options: ChangeOptions<Output>,
) {
  return useChange(['alerts'], send, options);
}

import type { ReactNode } from 'react';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { useApi } from '../api/api-context.tsx';
import { useChange } from './use-change.ts';

/** Asks for the name, removes, says so, and reads the list anew. */
export function RemoveDialog(props: {
  /** What it is, as in "Remove budget". */
  what: string;
  name: string;
  /** Of the thing itself. */
  path: string;
  /** Queries that it is in. */
  keys: readonly string[];
  /** Said when it is done. */
  done: string;
  /** What removing it does. */
  children: ReactNode;
  onClose: () => void;
}) {
  const { what, name, path, keys, done, children, onClose } = props;
  const api = useApi();
  const remove = useChange(keys, () => api.send('DELETE', path), { done, onDone: onClose });
  return (
    <ConfirmByName
      title={`Remove ${what}`}
      name={name}
      action={`Remove ${what}`}
      consequences={children}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    />
  );
}

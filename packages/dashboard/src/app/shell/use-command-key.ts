import { useHotkeys } from '@mantine/hooks';

/** ⌘K, or Ctrl K; in a text field too. */
export function useCommandKey(onKey: () => void): void {
  useHotkeys([['mod+K', onKey]], []);
}

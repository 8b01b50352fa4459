/** A duration as people read it: `842 ms`, `1.28 s`, `12.4 s`, `2 m 04 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 9995) return `${(ms / 1000).toFixed(2)}\u00a0s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}\u00a0m ${String(seconds % 60).padStart(2, '0')}\u00a0s`;
}

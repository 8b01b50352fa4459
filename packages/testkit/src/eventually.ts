import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks `probe` until it gives something (not null or false), for conditions in another process that announce
 * themselves to nobody.
 * @throws Error naming `what` when the time is up
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | null | false> | T | null | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = 2; ; waitMs = Math.min(50, waitMs * 2)) {
    const found = await probe();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`);
    await sleep(waitMs);
  }
}

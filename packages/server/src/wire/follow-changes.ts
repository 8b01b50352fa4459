import type { Logger } from '../kernel/logger.ts';
import type { ConfigStore } from '../store/store.ts';

export interface ChangeFollower {
  config: Pick<ConfigStore, 'readTurns'>;
  logger: Logger;
  everyMs: number;
  /** Somebody changed what is kept in memory. */
  onConfig(): Promise<void>;
  /** Somebody added rows to the ledger. */
  onLedger(): void;
}

/**
 * Looks for what other processes changed in the store, for as long as it runs. What fails is tried again: a change is
 * taken for done only after `onConfig` went well.
 * @returns ends it
 */
export function followChanges({
  config,
  logger,
  everyMs,
  onConfig,
  onLedger,
}: ChangeFollower): () => Promise<void> {
  let seen: { config: number; ledger: number } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let failing = false;
  const look = async (): Promise<void> => {
    try {
      const now = await config.readTurns();
      // What changed between the start's reading and the first look is not known: it is read once more.
      if (seen === null || now.config !== seen.config) await onConfig();
      if (seen !== null && now.ledger !== seen.ledger) onLedger();
      seen = now;
      failing = false;
    } catch (error) {
      if (!failing) logger.warn('changes of other nodes cannot be looked for; it is tried again', { error });
      failing = true;
    }
  };
  let running = Promise.resolve();
  const next = (): void => {
    running = look().finally(() => {
      if (!stopped) timer = setTimeout(next, everyMs).unref();
    });
  };
  next();
  return async () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    await running;
  };
}

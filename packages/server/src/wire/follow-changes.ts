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

export interface Following {
  /** Looks at once; when it is looking already, once more after that. */
  look(): void;
  stop(): Promise<void>;
}

/**
 * Looks for what other processes changed in the store, for as long as it runs: every so often, and when somebody says
 * that there is something. What fails is tried again: a change is taken for done only after `onConfig` went well.
 */
export function followChanges({ config, logger, everyMs, onConfig, onLedger }: ChangeFollower): Following {
  let seen: { config: number; ledger: number } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let failing = false;
  let running: Promise<void> | null = null;
  let again = false;
  const read = async (): Promise<void> => {
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
  const look = (): void => {
    if (stopped) return;
    if (running !== null) {
      again = true; // what it reads may be from before
      return;
    }
    if (timer !== null) clearTimeout(timer);
    running = read().finally(() => {
      running = null;
      if (stopped) return;
      timer = setTimeout(look, everyMs).unref();
      if (!again) return;
      again = false;
      look();
    });
  };
  look();
  return {
    look,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}

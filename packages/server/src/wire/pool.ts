import { type PoolStrategy, type PoolView, poolStrategySchema } from '@tallygate/contract/api/pool';
import type { PoolControl } from '../admin/admin-deps.ts';
import type { Config } from '../config/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { type AccountPool, createAccountPool } from '../pool/account-pool.ts';
import { AccountStates } from '../pool/account-state.ts';
import { readStateText, stateText } from '../pool/saved-state.ts';
import { UpstreamStates } from '../pool/upstream-state.ts';
import type { Store } from '../store/store.ts';

const STRATEGY_SETTING = 'pool_strategy';
/** A crash forgets at most this much of what headers said; the next answers say it again. */
const SAVE_EVERY_MS = 2_000;

interface PoolGround {
  store: Store;
  config: Config;
  clock: Clock;
  logger: Logger;
}

export interface Pooling {
  states: AccountStates;
  upstreams: UpstreamStates;
  pool: AccountPool;
  control: PoolControl;
  /** Takes over the strategy that was chosen on another node. */
  reload(): Promise<void>;
}

async function restoreStates(store: Store): Promise<AccountStates> {
  const states = new AccountStates();
  for (const row of await store.pool.listAccountStates()) {
    const saved = readStateText(row.state);
    if (saved !== null) states.of(row.accountId).restore(saved);
  }
  return states;
}

/** Brings back what the store remembers: the limits of the accounts, and the strategy somebody chose. */
export async function openPooling({ store, config }: Pick<PoolGround, 'store' | 'config'>): Promise<Pooling> {
  const states = await restoreStates(store);
  const readChosen = async (): Promise<PoolStrategy | null> => {
    const stored = poolStrategySchema.safeParse(await store.config.getSetting(STRATEGY_SETTING));
    return stored.success ? stored.data : null;
  };
  let chosen = await readChosen();
  const pool = createAccountPool({
    strategy: chosen ?? config.poolStrategy,
    sessionMs: config.sessionDurationMs,
  });
  const view = (): PoolView => ({ strategy: pool.strategy(), chosen: chosen !== null });
  return {
    states,
    upstreams: new UpstreamStates(),
    pool,
    async reload() {
      const now = await readChosen();
      if (now === chosen) return;
      chosen = now;
      pool.setStrategy(now ?? config.poolStrategy);
    },
    control: {
      view,
      async choose(strategy) {
        await store.config.setSetting(STRATEGY_SETTING, strategy ?? '');
        chosen = strategy;
        pool.setStrategy(strategy ?? config.poolStrategy);
        return view();
      },
    },
  };
}

/**
 * Saves what changed every few seconds, in one batch, and once more at the end.
 * @returns stops it
 */
export function keepSaved(states: AccountStates, ground: Omit<PoolGround, 'config'>): () => Promise<void> {
  const { store, clock, logger } = ground;
  let running: Promise<void> = Promise.resolve();
  const save = async (): Promise<void> => {
    const changed = [...states.all()].filter((state) => state.changed);
    if (changed.length === 0) return;
    const updatedAtMs = clock.now();
    const rows = changed.map((state) => {
      state.changed = false;
      return { accountId: state.accountId, state: stateText(state), updatedAtMs };
    });
    try {
      await store.pool.saveAccountStates(rows);
    } catch (error) {
      for (const state of changed) state.changed = true;
      logger.warn('the state of the accounts could not be saved; it is tried again', { error });
    }
  };
  const next = (): void => {
    running = running.then(save);
  };
  const timer = setInterval(next, SAVE_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    next();
    await running;
  };
}

import type { LimitWindow } from '@tallygate/contract/api/limits';
import type { RateLimit } from '../../limits/rate-limit.ts';
import type { RateState } from '../../limits/rate-state.ts';
import type { Scope } from '../../limits/scope.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import type { Store } from '../../store/store.ts';

export const WINDOW_MS: Readonly<Record<LimitWindow, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export function toRateLimit(row: LimitRow): RateLimit {
  const { id, workspaceId, name, scope, per, measure, limit, window, burst } = row;
  const windowMs = window === null ? null : WINDOW_MS[window];
  return { id, workspaceId, name, scope: scope as Scope, per, measure, limit, windowMs, burst };
}

/** Keeps the limits of the store and those in force alike. */
export class LimitBook {
  #state: RateState;
  readonly #store: Pick<Store, 'limits'>;
  /** Those that come from the settings and stand in no store. */
  readonly #settled: readonly RateLimit[];

  constructor(state: RateState, store: Pick<Store, 'limits'>, settled: readonly RateLimit[]) {
    this.#state = state;
    this.#store = store;
    this.#settled = settled;
  }

  get state(): RateState {
    return this.#state;
  }

  /** Counts together with other processes from now on; before anything is loaded and served. */
  share(state: RateState): void {
    this.#state = state;
  }

  /** Puts in force what the store holds now; what is counted goes on. */
  async load(): Promise<void> {
    const rows = await this.#store.limits.listLimits(null);
    this.#state.replaceAll([...this.#settled, ...rows.map(toRateLimit)]);
  }
}

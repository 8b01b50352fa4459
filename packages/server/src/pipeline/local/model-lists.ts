import type { Clock } from '../../kernel/clock.ts';
import type { PoolAccount } from '../../pool/pool.ts';
import type { DataRoute } from '../call.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';
import { upstreamKnows, usableAccounts } from './usable-models.ts';

/** How long a list of models is taken for true, and how long an upstream that gave none is left alone. */
export const LIST_LIFE_MS = 10 * 60_000;
export const LIST_FAILED_MS = 60_000;
/** A client waits this long for upstreams of which nothing is known; what comes later counts for the next one. */
const WAIT_MS = 3_000;
/** Upstreams that are asked at a time: the rest is asked for by the next call. */
const AT_ONCE = 8;
/** Names that an account may list; what comes from outside stays bounded. */
const MAX_NAMES = 5_000;
const MAX_NAME_CHARS = 200;

export interface ModelListDeps {
  /** Models that the account's upstream lists; empty when it did not say. Never throws. */
  ask(account: PoolAccount): Promise<readonly string[]>;
  clock: Pick<Clock, 'now'>;
  waitMs?: number;
}

/** The lists of models of all accounts: each asked for once however many clients want it, and kept for a while. */
export interface ModelLists {
  /** Asks for lists that have run out. @returns null when nothing has to be waited for */
  refresh(accounts: readonly PoolAccount[]): Promise<void> | null;
}

/** Patterns that are whole names say all there is to know. */
const saysAll = ({ models, modelNames }: PoolAccount): boolean =>
  models.length > 0 && models.length === modelNames.length;

class Lists implements ModelLists {
  readonly #deps: ModelListDeps;
  /** By account, while its upstream is being asked. */
  readonly #asked = new Map<string, Promise<void>>();
  /** Until when an upstream that gave no list is left alone. */
  readonly #failedUntilMs = new Map<string, number>();

  constructor(deps: ModelListDeps) {
    this.#deps = deps;
  }

  refresh(accounts: readonly PoolAccount[]): Promise<void> | null {
    const nowMs = this.#deps.clock.now();
    const unknown: Promise<void>[] = [];
    for (const account of accounts) {
      if (!this.#isDue(account, nowMs)) continue;
      const asking = this.#asked.get(account.id) ?? this.#ask(account);
      if (asking !== null && account.state.models === null) unknown.push(asking);
    }
    return unknown.length === 0 ? null : within(Promise.all(unknown), this.#deps.waitMs ?? WAIT_MS);
  }

  #isDue(account: PoolAccount, nowMs: number): boolean {
    if (saysAll(account)) return false;
    const { models, modelsAtMs } = account.state;
    if (models !== null && nowMs - modelsAtMs < LIST_LIFE_MS) return false;
    return nowMs >= (this.#failedUntilMs.get(account.id) ?? 0);
  }

  #ask(account: PoolAccount): Promise<void> | null {
    if (this.#asked.size >= AT_ONCE) return null;
    const { clock } = this.#deps;
    const asking = this.#deps.ask(account).then((names) => {
      this.#asked.delete(account.id);
      const kept = names.filter((name) => name.length <= MAX_NAME_CHARS).slice(0, MAX_NAMES);
      if (kept.length > 0) {
        this.#failedUntilMs.delete(account.id);
        account.state.listed(kept, clock.now());
      } else this.#failedUntilMs.set(account.id, clock.now() + LIST_FAILED_MS);
    });
    this.#asked.set(account.id, asking);
    return asking;
  }
}

/** Resolves with the promise, or when the time is over. */
function within(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export function createModelLists(deps: ModelListDeps): ModelLists {
  return new Lists(deps);
}

/** Begins a call: at once, but for lists of models of which too little is known yet. */
export function onceListed(
  lists: ModelLists,
  { route, snapshot, key }: { route: DataRoute; snapshot: GateSnapshot; key: KeyEntry },
  { begin, fail }: { begin(): void; fail(error: unknown): void },
): void {
  const listed = route.listModels !== undefined && !upstreamKnows(snapshot, key, route.flavor);
  const waits = listed ? lists.refresh(usableAccounts(snapshot, key)) : null;
  if (waits === null) return begin();
  waits.then(begin).catch(fail);
}

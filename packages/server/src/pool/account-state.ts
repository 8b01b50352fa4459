import type { WindowUse } from './rate-limit-headers.ts';
import { addSample, type WindowSamples } from './window-forecast.ts';

/** A limit that the provider declared: until then it answers nothing but refusals in this scope. */
export interface Bench {
  /** Null rests the whole account. */
  model: string | null;
  /** True when `model` is part of the names it limits (`opus`), false when it is one whole name. */
  family: boolean;
  untilMs: number;
  /** Why, such as `seven_day_opus`, `retry_after` or `out_of_credits`. */
  reason: string;
}

/** What of an account's state outlives the process. */
export interface SavedAccountState {
  benches: Bench[];
  windows: WindowUse[];
  softUntilMs: number;
  refusedAtMs: number | null;
  samples: WindowSamples[];
  models: readonly string[] | null;
  modelsAtMs: number;
}

/** From this many failures in a row the circuit is open; one before may be a stumble. */
export const OPEN_AFTER_FAILURES = 3;
const NOTHING: readonly never[] = [];
const ignore = (): void => undefined;
const MAX_BENCHES = 32;

/**
 * What is known about an account right now. One object an account for the life of the process; snapshots come and
 * go and point at it. Plain fields on purpose: every request reads them and most only read.
 */
export class AccountState {
  readonly accountId: string;
  /** Small number that stands for the account in tables of numbers. */
  readonly number: number;
  benches: readonly Bench[] = NOTHING;
  windows: readonly WindowUse[] = NOTHING;
  /** How the windows were used up lately, by name. */
  readonly samples = new Map<string, WindowSamples>();
  /** The provider warned: until then, what may go elsewhere goes elsewhere. */
  softUntilMs = 0;
  /** The provider refused the credential; null once it took it again. */
  refusedAtMs: number | null = null;
  /** What the upstream listed when it was last asked, and when that was; null when it never said. */
  models: readonly string[] | null = null;
  modelsAtMs = 0;
  /** Failures in a row, and until when the account rests because of them. */
  failures = 0;
  restUntilMs = 0;
  /** After a rest one call tries; the others wait until its outcome or this time. */
  probeUntilMs = 0;
  /** Limits in a row that named no time. */
  vagueLimits = 0;
  inFlight = 0;
  uses = 0;
  /** Decaying peak of the time to the first byte, and when it was last changed. */
  latencyMs = 0;
  latencyAtMs = 0;
  /** Credit of the smooth weighted round. */
  credit = 0;
  /** Something that outlives the process changed since it was last saved. */
  changed = false;
  readonly #turned: () => void;

  /** @param turned called at each edge: something begins to keep the account from serving, or is over before its time */
  constructor(accountId: string, number: number, turned: () => void = ignore) {
    this.accountId = accountId;
    this.number = number;
    this.#turned = turned;
  }

  /** It failed so often in a row that only one call at a time tries it. */
  get circuitOpen(): boolean {
    return this.failures >= OPEN_AFTER_FAILURES;
  }

  /** The provider refused the credential. */
  refuse(nowMs: number): void {
    const first = this.refusedAtMs === null;
    this.refusedAtMs = nowMs;
    this.changed = true;
    if (first) this.#turned();
  }

  /** The provider took the credential, or there is a new one. */
  accept(): void {
    if (this.refusedAtMs === null) return;
    this.refusedAtMs = null;
    this.changed = true;
    this.#turned();
  }

  /** A call came to nothing. @param restMs for how long that many failures in a row rest the account */
  fail(nowMs: number, restMs: (failures: number) => number): void {
    const wasOpen = this.circuitOpen;
    this.failures += 1;
    this.restUntilMs = nowMs + restMs(this.failures);
    this.probeUntilMs = 0;
    if (this.circuitOpen && !wasOpen) this.#turned();
  }

  /** A call was taken: the failures before it were not in a row with the next. */
  recover(): void {
    if (this.failures === 0) return;
    const wasOpen = this.circuitOpen;
    this.failures = 0;
    this.restUntilMs = 0;
    this.probeUntilMs = 0;
    if (wasOpen) this.#turned();
  }

  /** Until when the provider's limits keep this account from serving the model; 0 when they do not. */
  limitedUntilMs(model: string | null, nowMs: number): number {
    let until = 0;
    for (const bench of this.benches)
      if (bench.untilMs > nowMs && bench.untilMs > until && covers(bench, model)) until = bench.untilMs;
    return until;
  }

  /** Rests because it failed: it may be tried when nothing else is left. */
  resting(nowMs: number): boolean {
    return this.restUntilMs > nowMs || this.probeUntilMs > nowMs;
  }

  bench(added: Bench, nowMs: number): void {
    const first = added.model === null && this.limitedUntilMs(null, nowMs) === 0;
    const kept = this.benches.filter(
      (other) => other.untilMs > nowMs && (other.model !== added.model || other.family !== added.family),
    );
    const same = this.benches.find((other) => other.model === added.model && other.family === added.family);
    const later = same !== undefined && same.untilMs > added.untilMs ? same : added;
    this.benches = [...kept.slice(-MAX_BENCHES + 1), later];
    this.changed = true;
    if (first) this.#turned();
  }

  /** Takes over the windows an answer named; those it did not name stay until they reset. */
  learn(windows: readonly WindowUse[], nowMs: number): void {
    const old = this.windows.filter(
      (known) =>
        !windows.some((window) => window.name === known.name) &&
        (known.resetAtMs === null || known.resetAtMs > nowMs),
    );
    for (const window of windows) {
      const samples = addSample(this.samples.get(window.name), window);
      if (samples !== undefined && (this.samples.has(window.name) || this.samples.size < MAX_BENCHES))
        this.samples.set(window.name, samples);
    }
    this.windows = old.length === 0 ? windows : [...old.slice(-MAX_BENCHES), ...windows];
    this.changed = true;
  }

  /** Forgets every limit and rest: the next call finds out anew. */
  reset(): void {
    this.benches = NOTHING;
    this.softUntilMs = 0;
    this.refusedAtMs = null;
    this.failures = 0;
    this.restUntilMs = 0;
    this.probeUntilMs = 0;
    this.vagueLimits = 0;
    this.changed = true;
    this.#turned();
  }

  /** The upstream said which models it has. */
  listed(models: readonly string[], nowMs: number): void {
    this.models = models;
    this.modelsAtMs = nowMs;
    this.changed = true;
  }

  saved(): SavedAccountState {
    return {
      benches: [...this.benches],
      windows: [...this.windows],
      softUntilMs: this.softUntilMs,
      refusedAtMs: this.refusedAtMs,
      samples: [...this.samples.values()],
      models: this.models,
      modelsAtMs: this.modelsAtMs,
    };
  }

  restore(saved: SavedAccountState): void {
    this.benches = saved.benches;
    this.windows = saved.windows;
    this.softUntilMs = saved.softUntilMs;
    this.refusedAtMs = saved.refusedAtMs;
    for (const samples of saved.samples) this.samples.set(samples.name, samples);
    this.models = saved.models;
    this.modelsAtMs = saved.modelsAtMs;
  }
}

function covers(bench: Bench, model: string | null): boolean {
  if (bench.model === null) return true;
  if (model === null) return false;
  return bench.family ? model.includes(bench.model) : bench.model === model;
}

/** The states of all accounts, by id; snapshots are rebuilt often, states are not. */
export class AccountStates {
  readonly #byId = new Map<string, AccountState>();
  #next = 1;
  #listener = ignore;

  /** @param listener called when an account can no longer serve, or can again; not when a rest merely ends by the clock */
  onTurn(listener: () => void): void {
    this.#listener = listener;
  }

  of(accountId: string): AccountState {
    let state = this.#byId.get(accountId);
    if (state === undefined) {
      state = new AccountState(accountId, this.#next++, this.turned);
      this.#byId.set(accountId, state);
    }
    return state;
  }

  /** Says that an account turned, of which the states do not know by themselves. */
  readonly turned = (): void => this.#listener();

  /** Drops the states of accounts that are gone. */
  keepOnly(accountIds: ReadonlySet<string>): void {
    for (const id of this.#byId.keys()) if (!accountIds.has(id)) this.#byId.delete(id);
  }

  all(): IterableIterator<AccountState> {
    return this.#byId.values();
  }
}

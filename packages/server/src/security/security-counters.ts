import type { SecurityKind } from '@tallygate/contract/api/security';
import { SECURITY_KINDS } from '@tallygate/contract/api/security';

export const HOUR_MS = 3_600_000;
/** A day by hours is what the screen shows. */
export const HOURS = 24;
/** Beyond this the one with the fewest events gives way, so that many new names cannot push out who hammers. */
const MAX_NAMES = 500;
const MAX_NAME_CHARS = 100;

export type KindCounts = Record<SecurityKind, number>;

export const noCounts = (): KindCounts =>
  Object.fromEntries(SECURITY_KINDS.map((kind) => [kind, 0])) as KindCounts;

const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS);

/** Events by kind over the last 24 hours, in a ring of hours. */
export class HourlyCounts {
  readonly #hours = new Map<number, KindCounts>();

  add(kind: SecurityKind, atMs: number): void {
    const hour = hourOf(atMs);
    const counts = this.#hours.get(hour) ?? noCounts();
    counts[kind] += 1;
    this.#hours.set(hour, counts);
    for (const old of this.#hours.keys()) if (old <= hour - HOURS) this.#hours.delete(old);
  }

  /** The last 24 hours, oldest first. */
  series(nowMs: number): { startMs: number; counts: KindCounts }[] {
    const last = hourOf(nowMs);
    return Array.from({ length: HOURS }, (_, index) => {
      const hour = last - HOURS + 1 + index;
      return { startMs: hour * HOUR_MS, counts: { ...(this.#hours.get(hour) ?? noCounts()) } };
    });
  }

  /** Sums of the last `hours` hours, the current one included. */
  since(nowMs: number, hours: number): KindCounts {
    const sum = noCounts();
    for (const { counts } of this.series(nowMs).slice(-hours)) {
      for (const kind of SECURITY_KINDS) sum[kind] += counts[kind];
    }
    return sum;
  }
}

interface Entry {
  counts: HourlyCounts;
  total: number;
  lastMs: number;
}

/** The same by a name, such as an address. Bounded whatever names come. */
export class NamedCounts {
  readonly #entries = new Map<string, Entry>();

  add(name: string, kind: SecurityKind, atMs: number): void {
    const key = name.slice(0, MAX_NAME_CHARS);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size >= MAX_NAMES) this.#dropLeast(atMs);
      entry = { counts: new HourlyCounts(), total: 0, lastMs: atMs };
      this.#entries.set(key, entry);
    }
    entry.counts.add(kind, atMs);
    entry.total += 1;
    entry.lastMs = atMs;
  }

  #dropLeast(nowMs: number): void {
    let least: [string, number] | null = null;
    for (const [name, { total, lastMs }] of this.#entries) {
      const weight = nowMs - lastMs > HOURS * HOUR_MS ? -1 : total;
      if (least === null || weight < least[1]) least = [name, weight];
    }
    if (least !== null) this.#entries.delete(least[0]);
  }

  /** Those seen in the last 24 hours, most events first. */
  list(nowMs: number): { name: string; lastMs: number; lastHour: KindCounts; lastDay: KindCounts }[] {
    return [...this.#entries]
      .filter(([, { lastMs }]) => nowMs - lastMs < HOURS * HOUR_MS)
      .map(([name, { counts, lastMs }]) => ({
        name,
        lastMs,
        // The hour that runs and the one before it: ten failures around the full hour are ten failures.
        lastHour: counts.since(nowMs, 2),
        lastDay: counts.since(nowMs, HOURS),
      }))
      .sort((a, b) => sumOf(b.lastDay) - sumOf(a.lastDay) || b.lastMs - a.lastMs);
  }
}

export const sumOf = (counts: KindCounts): number =>
  SECURITY_KINDS.reduce((sum, kind) => sum + counts[kind], 0);

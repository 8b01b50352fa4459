/** How far arithmetic on the bucket stays exact. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER / 4;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Units per millisecond as a fraction in lowest terms. */
export function rateOf(limit: number, windowMs: number): { units: number; perMs: number } {
  const divisor = greatestCommonDivisor(limit, windowMs);
  return { units: limit / divisor, perMs: windowMs / divisor };
}

/** False for a limit whose burst could not be counted exactly. */
export function burstIsExact(burst: number, limit: number, windowMs: number): boolean {
  const { units, perMs } = rateOf(limit, windowMs);
  return (burst + limit) * perMs <= MAX_EXACT && units * windowMs <= MAX_EXACT;
}

/**
 * What may come at once: `burst` units, refilled at the limit's own pace. All whole numbers: the level counts units
 * times `perMs`, so that a millisecond gives back a whole number of them.
 */
export class BurstBucket {
  readonly #units: number;
  readonly #perMs: number;
  readonly #capacity: number;
  #level = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(burst: number, limit: number, windowMs: number) {
    const { units, perMs } = rateOf(limit, windowMs);
    this.#units = units;
    this.#perMs = perMs;
    this.#capacity = burst * perMs;
  }

  /** How long until so many units may come; 0 for now. More than the bucket holds wait for an empty one. */
  msUntilRoom(nowMs: number, amount: number): number {
    this.#drain(nowMs);
    const wanted = Math.min(amount * this.#perMs, this.#capacity);
    return Math.max(0, Math.ceil((this.#level + wanted - this.#capacity) / this.#units));
  }

  add(nowMs: number, amount: number): void {
    this.#drain(nowMs);
    this.#level = Math.max(0, this.#level + amount * this.#perMs);
  }

  empty(nowMs: number): boolean {
    this.#drain(nowMs);
    return this.#level === 0;
  }

  #drain(nowMs: number): void {
    const now = Math.floor(nowMs);
    if (now <= this.#atMs) return;
    const passedMs = now - this.#atMs;
    const enough = Math.ceil(this.#level / this.#units);
    this.#level = passedMs >= enough ? 0 : this.#level - passedMs * this.#units;
    this.#atMs = now;
  }
}

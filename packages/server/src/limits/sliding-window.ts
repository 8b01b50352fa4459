/** Parts of a window that leave it one after the other. */
export const WINDOW_SLICES = 20;

/**
 * Amounts of the last `windowMs`, whole numbers. Time is cut into slices that leave the window whole, so an amount
 * counts for the length of the window and up to a twentieth of it longer, never shorter: in no stretch of time as long
 * as the window is the sum more than this said.
 */
export class SlidingWindow {
  readonly windowMs: number;
  readonly #sliceMs: number;
  readonly #amounts = new Float64Array(WINDOW_SLICES + 1);
  /** Number of the newest slice, counted from the beginning of time. */
  #newest = 0;
  #total = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.#sliceMs = windowMs / WINDOW_SLICES;
  }

  total(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#total;
  }

  /** @returns the slice it went into, for `takeBack` */
  add(nowMs: number, amount: number): number {
    this.#moveTo(nowMs);
    this.#change(this.#newest, amount);
    return this.#newest;
  }

  /** Undoes an `add`, unless its slice has left the window by now. */
  takeBack(slice: number, amount: number): void {
    if (slice > this.#newest - this.#amounts.length) this.#change(slice, -amount);
  }

  /** How long until `amount` of what is counted now has left; the whole window when that is more than there is. */
  msUntilFree(nowMs: number, amount: number): number {
    this.#moveTo(nowMs);
    let left = amount;
    for (let slice = this.#newest - WINDOW_SLICES; slice <= this.#newest; slice += 1) {
      left -= this.#amounts[this.#place(slice)] ?? 0;
      if (left <= 0) return Math.max(0, (slice + WINDOW_SLICES + 1) * this.#sliceMs - nowMs);
    }
    return this.windowMs;
  }

  #change(slice: number, amount: number): void {
    const place = this.#place(slice);
    this.#amounts[place] = (this.#amounts[place] ?? 0) + amount;
    this.#total += amount;
  }

  #place(slice: number): number {
    const { length } = this.#amounts;
    return ((slice % length) + length) % length;
  }

  /** A clock that goes back adds to the newest slice: it frees nothing early. */
  #moveTo(nowMs: number): void {
    const now = Math.floor(nowMs / this.#sliceMs);
    if (now <= this.#newest) return;
    if (now - this.#newest >= this.#amounts.length) this.#amounts.fill(0);
    else for (let slice = this.#newest + 1; slice <= now; slice += 1) this.#amounts[this.#place(slice)] = 0;
    this.#newest = now;
    this.#total = this.#amounts.reduce((sum, amount) => sum + amount, 0);
  }
}

/** Follows an answer that nobody reads any more, for its usage only: for so long, and for so many bytes. */
export class AnswerDrain {
  readonly #onEnough: () => void;
  readonly #timer: NodeJS.Timeout;
  #leftBytes: number;

  /** @param onEnough called when a bound is reached, and perhaps more than once */
  constructor({ maxMs, maxBytes }: { maxMs: number; maxBytes: number }, onEnough: () => void) {
    this.#onEnough = onEnough;
    this.#leftBytes = maxBytes;
    this.#timer = setTimeout(onEnough, maxMs);
  }

  take(bytes: number): void {
    this.#leftBytes -= bytes;
    if (this.#leftBytes < 0) this.#onEnough();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

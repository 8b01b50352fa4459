/** A move to another account that shared limits are asked about: what would end the exchange waits for their word. */
export class PendingMove {
  #pending = false;
  #then: (() => void) | null = null;

  get pending(): boolean {
    return this.#pending;
  }

  /** Keeps an end for later while a move is pending; the first one counts. */
  waits(then: () => void): boolean {
    if (this.#pending) this.#then ??= then;
    return this.#pending;
  }

  /** Follows the answer, which may come at once; after it, what ended the exchange meanwhile goes first. */
  follow(answer: boolean | Promise<boolean>, moved: () => void, stays: () => void): void {
    if (typeof answer === 'boolean') return answer ? moved() : stays();
    this.#pending = true;
    const settle = (ok: boolean): void => {
      this.#pending = false;
      if (ok) moved();
      const then = this.#then;
      this.#then = null;
      if (then !== null) then();
      else if (!ok) stays();
    };
    answer.then(settle, () => settle(false));
  }
}

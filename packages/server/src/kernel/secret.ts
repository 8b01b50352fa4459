import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * A value that cannot be printed: its string, JSON and inspect forms are masked. `reveal()` is called only
 * where the value is sent to its upstream or sealed into the vault.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** The last four characters when at least twelve are hidden, else nothing: for recognising a credential. */
  hint(): string | null {
    return this.#value.length >= 16 ? this.#value.slice(-4) : null;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

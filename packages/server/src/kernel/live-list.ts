/** Something that a `LiveList` can hold: it remembers its place. At most one list may hold it at a time. */
export interface Listed {
  /** Place in the list, -1 outside it. Only the list writes it. */
  slot: number;
}

/**
 * The things that live right now, in no order; adding and removing cost the same however many there are.
 *
 * Not a Set, on purpose: when things come and go, V8 moves a Set to a new table every few dozen changes, and the old
 * table keeps a pointer to the new one and to everything it held. Once such a table is in the old generation, each
 * dead table keeps the next one alive until the next full collection: under load a quarter of all requests'
 * memory outlived its request that way.
 */
export class LiveList<T extends Listed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.slot = this.#items.length;
    this.#items.push(item);
  }

  /** Does nothing when the item is not in the list. */
  remove(item: T): void {
    if (this.#items[item.slot] !== item) return;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[item.slot] = last;
      last.slot = item.slot;
    }
    item.slot = -1;
  }

  /** What is in the list now: a copy, which later changes leave alone. */
  toArray(): T[] {
    return [...this.#items];
  }
}

/** More distinct targets than any installation has accounts; beyond it the oldest is closed. */
const MAX_TARGETS = 512;

interface Closable {
  close(): Promise<unknown>;
  destroy(): Promise<unknown>;
}

/** What is kept open for each target, bounded in number. */
export class TargetMap<T extends Closable> {
  readonly #open = new Map<string, T>();

  /** What is open under the key, or what `open` makes for it. */
  get(key: string, open: () => T): T {
    const found = this.#open.get(key);
    if (found !== undefined) return found;
    const opened = open();
    if (this.#open.size >= MAX_TARGETS) {
      const [oldestKey, oldest] = this.#open.entries().next().value ?? [];
      if (oldestKey !== undefined) this.#open.delete(oldestKey);
      oldest?.close().catch(() => undefined); // busy requests end on their own; a failed close leaves nothing to do
    }
    this.#open.set(key, opened);
    return opened;
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map((one) => one.close()));
  }

  async destroy(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map((one) => one.destroy()));
  }
}

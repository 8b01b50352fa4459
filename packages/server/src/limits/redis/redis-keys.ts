/** Names of the keys: all in one slot of a cluster, and those of a generation of the books apart from the others. */
export class RedisKeys {
  readonly #root: string;
  readonly state: string;
  readonly nodes: string;

  constructor(namespace: string) {
    this.#root = `{${namespace}:limits}:`;
    this.state = `${this.#root}state`;
    this.nodes = `${this.#root}nodes`;
  }

  /** Put before the name of a window. */
  windows(generation: string): string {
    return `${this.#root}${generation}:w:`;
  }

  /** Requests on their way, by owner: one process of one node. */
  holds(generation: string, owner: string): string {
    return `${this.#root}${generation}:holds:${owner}`;
  }

  /** Holds that were charged because their owner seemed dead. */
  expired(generation: string, owner: string): string {
    return `${this.#root}${generation}:expired:${owner}`;
  }

  /** Put before the name of a budget: requests that its sum of the ledger leaves out, see `OLDER`. */
  older(generation: string): string {
    return `${this.#root}${generation}:older:`;
  }

  /** Number of the last batch of each owner. */
  batches(generation: string): string {
    return `${this.#root}${generation}:batches`;
  }

  joined(generation: string): string {
    return `${this.#root}${generation}:joined`;
  }

  /** Processes of one node that used these books. */
  processes(generation: string, node: string): string {
    return `${this.#root}${generation}:node:${node}`;
  }

  /** The generation that a key belongs to; null for keys of none. */
  generationOf(key: string): string | null {
    if (!key.startsWith(this.#root)) return null;
    const rest = key.slice(this.#root.length);
    const colon = rest.indexOf(':');
    return colon === -1 ? null : rest.slice(0, colon);
  }

  get everything(): string {
    return `${this.#root}*`;
  }
}

/** Tells listeners that the ledger committed rows; they read what is new from the store by `ledgerSeq`. */
export interface LiveFeed {
  /** @returns the function that ends the subscription */
  subscribe(listener: () => void): () => void;
}

/** A feed inside one process. A listener that throws does not keep the others from hearing. */
export function createLiveFeed(): LiveFeed & { announce(): void } {
  const listeners = new Set<() => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    announce() {
      for (const listener of listeners) {
        try {
          listener();
        } catch {
          listeners.delete(listener);
        }
      }
    },
  };
}

/** What may have changed: configuration that nodes keep in memory, or rows of the ledger. */
export const TOPICS = ['config', 'ledger'] as const;
export type Topic = (typeof TOPICS)[number];

/**
 * Tells other nodes at once that there is something to look for. Messages may be lost: who hears one reads the store,
 * and looks there from time to time anyway.
 */
export interface ChangeBus {
  /** Returns at once and never throws. */
  publish(topic: Topic): void;
  stop(): void;
}

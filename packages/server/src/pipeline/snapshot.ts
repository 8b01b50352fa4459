import type { KeyScope } from '@tallygate/contract/api/keys';
import type { DisconnectPolicy } from '@tallygate/contract/api/projects';
import type { PriceBook } from '../accounting/price-book.ts';
import { type Candidates, findCandidates, type ModelKnown, type PoolAccount } from '../pool/pool.ts';
import type { ApiFlavor } from '../providers/provider.ts';

export interface KeyEntry {
  id: string;
  workspaceId: string;
  projectId: string;
  scopes: ReadonlySet<KeyScope>;
  expiresAtMs: number | null;
  disconnectPolicy: DisconnectPolicy;
}

/**
 * Everything the hot path needs to decide, immutable and in memory (architecture principle 6). A change of keys,
 * accounts, projects or prices builds a new one, swapped whole.
 */
export interface GateSnapshot {
  /** Unrevoked keys by SHA-256 of the whole key, lower-case hex. */
  readonly keys: ReadonlyMap<string, KeyEntry>;
  readonly accounts: readonly PoolAccount[];
  readonly prices: PriceBook;
  /** Accounts that can serve the call, the best first; which of them does is the pool's choice. */
  candidates(flavor: ApiFlavor, model: string | null): Candidates;
}

/** Holds the current snapshot. */
export interface SnapshotHolder {
  current(): GateSnapshot;
}

const MAX_CACHED_CHOICES = 2_000;

/** Builds a snapshot; choices are remembered because they depend on nothing but the call's flavor and model. */
export function createSnapshot(
  parts: Pick<GateSnapshot, 'keys' | 'accounts' | 'prices'>,
  modelKnown: ModelKnown,
): GateSnapshot {
  const choices = new Map<string, Candidates>();
  return {
    ...parts,
    candidates(flavor, model) {
      const key = `${flavor} ${model ?? ''}`;
      const known = choices.get(key);
      if (known) return known;
      const choice = findCandidates(parts.accounts, { flavor, model }, modelKnown);
      if (choices.size >= MAX_CACHED_CHOICES) choices.clear(); // client-chosen names must not grow it without bound
      choices.set(key, choice);
      return choice;
    },
  };
}

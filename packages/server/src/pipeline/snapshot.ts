import type { KeyScope } from '@tallygate/contract/api/keys';
import type { DisconnectPolicy } from '@tallygate/contract/api/projects';
import type { PriceBook } from '../accounting/price-book.ts';
import { type AccountChoice, chooseAccount, type ModelKnown, type PoolAccount } from '../pool/pool.ts';
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
  /** True while the operator lets no traffic through (CF-18). */
  readonly paused: boolean;
  choose(flavor: ApiFlavor, model: string | null): AccountChoice;
}

/** Holds the current snapshot. */
export interface SnapshotHolder {
  current(): GateSnapshot;
}

const MAX_CACHED_CHOICES = 2_000;

/** Builds a snapshot; choices are remembered because they depend on nothing but the call's flavor and model. */
export function createSnapshot(
  parts: Pick<GateSnapshot, 'keys' | 'accounts' | 'prices' | 'paused'>,
  modelKnown: ModelKnown,
): GateSnapshot {
  const choices = new Map<string, AccountChoice>();
  return {
    ...parts,
    choose(flavor, model) {
      const key = `${flavor} ${model ?? ''}`;
      const known = choices.get(key);
      if (known) return known;
      const choice = chooseAccount(parts.accounts, { flavor, model }, modelKnown);
      if (choices.size >= MAX_CACHED_CHOICES) choices.clear(); // client-chosen names must not grow it without bound
      choices.set(key, choice);
      return choice;
    },
  };
}

import type { PriceBook } from '../../accounting/price-book.ts';
import type { PoolAccount } from '../../pool/pool.ts';
import type { ApiFlavor, ListedModel } from '../../providers/provider.ts';
import { providerAllowed } from '../key-limits.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';

/** No gate has more; a list of names from outside stays bounded. */
const MAX_MODELS = 5_000;

/** The accounts that a key may use and that are not paused. */
export function usableAccounts(snapshot: GateSnapshot, key: KeyEntry): PoolAccount[] {
  const limit = key.limits?.providers ?? null;
  return snapshot.accounts.filter(
    (account) =>
      account.workspaceId === key.workspaceId &&
      !account.paused &&
      (key.reach === null || key.reach.ids.has(account.id)) &&
      (limit === null || providerAllowed(limit, account)),
  );
}

/** One account whose upstream knows best, when nothing narrows what the key may use of it. */
export function upstreamKnows(snapshot: GateSnapshot, key: KeyEntry, flavor: ApiFlavor): boolean {
  if ((key.limits?.models ?? null) !== null) return false;
  const [only, other] = usableAccounts(snapshot, key);
  return other === undefined && only !== undefined && only.flavors.has(flavor) && only.models.length === 0;
}

/**
 * What an account serves: what its upstream listed when it was last tested, else what the price book lists for it;
 * of these what its patterns allow, and the names that stand among the patterns as they are.
 */
function modelsOf(account: PoolAccount, prices: PriceBook): string[] {
  const { state, priceProvider, models: patterns, modelNames } = account;
  const listed = state.models ?? (priceProvider === null ? [] : prices.modelsOf(priceProvider));
  if (patterns.length === 0) return [...listed];
  return [...modelNames, ...listed.filter((id) => patterns.some((pattern) => pattern.test(id)))];
}

/** Keys whose list is remembered. */
const MAX_KEYS = 500;

/**
 * Remembers the list of each key, for as long as its accounts, their lists and its limits are the same: some clients
 * ask for it with every start.
 */
export function createUsableModels(): (snapshot: GateSnapshot, key: KeyEntry) => readonly ListedModel[] {
  const known = new Map<string, { snapshot: GateSnapshot; listed: string; models: readonly ListedModel[] }>();
  return (snapshot, key) => {
    const listed = usableAccounts(snapshot, key)
      .map(({ state }) => state.modelsAtMs)
      .join(' ');
    const before = known.get(key.secretHash);
    if (before?.snapshot === snapshot && before.listed === listed) return before.models;
    const models = usableModels(snapshot, key);
    if (known.size >= MAX_KEYS) known.clear();
    known.set(key.secretHash, { snapshot, listed, models });
    return models;
  };
}

/** Every model that the key can really use, whatever API its account speaks, by name. */
export function usableModels(snapshot: GateSnapshot, key: KeyEntry): ListedModel[] {
  const found = new Map<string, ListedModel>();
  const allowed = key.limits?.models ?? null;
  for (const account of usableAccounts(snapshot, key)) {
    for (const id of modelsOf(account, snapshot.prices)) {
      if (found.size >= MAX_MODELS) break;
      if (found.has(id) || (allowed !== null && !allowed.some((pattern) => pattern.test(id)))) continue;
      found.set(id, { id, provider: account.preset ?? account.adapter.id, sinceMs: account.createdAtMs });
    }
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

import type { EgressTarget } from '../egress/egress.ts';
import type { ApiFlavor, ProviderAdapter } from '../providers/provider.ts';

/** An upstream account, ready to be used: nothing here has to be computed or decrypted for a request. */
export interface PoolAccount {
  id: string;
  name: string;
  adapter: ProviderAdapter;
  /** Row of the adapter's table of known servers; null when none was chosen. */
  preset: string | null;
  /** Provider id in the price book; null when its prices are unknown. */
  priceProvider: string | null;
  target: EgressTarget;
  /** Path of the base URL without trailing slash, put before the route's path; usually empty. */
  basePath: string;
  /** Credential headers as a flat list of name, value. */
  credentialHeaders: readonly string[];
  flavors: ReadonlySet<ApiFlavor>;
  /** Compiled model patterns; empty serves every model. */
  models: readonly RegExp[];
  priority: number;
  paused: boolean;
  createdAtMs: number;
}

export type AccountChoice =
  | { account: PoolAccount }
  /** `none`: no account speaks this format for this model; `paused`: some do, all of them paused. */
  | { account: null; reason: 'none' | 'paused' };

/** True when the price book lists the model for that provider: the account most likely serves it. */
export type ModelKnown = (priceProvider: string, model: string) => boolean;

/** Compiles `*` patterns; matching is case-sensitive because model ids are. */
export function compileModelPatterns(patterns: readonly string[]): RegExp[] {
  return patterns.map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      ),
  );
}

interface Ranked {
  account: PoolAccount;
  rank: readonly number[];
}

function rankOf(account: PoolAccount, model: string | null, modelKnown: ModelKnown): readonly number[] {
  const named = account.models.length > 0 ? 0 : 1;
  const known =
    model !== null && account.priceProvider !== null && modelKnown(account.priceProvider, model) ? 0 : 1;
  return [named, account.priority, known, account.createdAtMs];
}

function compareRanks(a: Ranked, b: Ranked): number {
  for (let i = 0; i < a.rank.length; i++) {
    const difference = (a.rank[i] ?? 0) - (b.rank[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.account.id < b.account.id ? -1 : 1;
}

/**
 * Orders the accounts that can serve a call: one that names the model first, then lower priority numbers, then
 * one whose price list knows the model, then the oldest.
 */
export function chooseAccount(
  accounts: readonly PoolAccount[],
  call: { flavor: ApiFlavor; model: string | null },
  modelKnown: ModelKnown,
): AccountChoice {
  const { flavor, model } = call;
  const able = accounts.filter(
    (account) =>
      account.flavors.has(flavor) &&
      (account.models.length === 0 ||
        model === null ||
        account.models.some((pattern) => pattern.test(model))),
  );
  if (able.length === 0) return { account: null, reason: 'none' };
  const ready = able.filter((account) => !account.paused);
  if (ready.length === 0) return { account: null, reason: 'paused' };
  const ranked = ready
    .map((account) => ({ account, rank: rankOf(account, model, modelKnown) }))
    .sort(compareRanks);
  const best = ranked[0];
  return best ? { account: best.account } : { account: null, reason: 'none' };
}

import type { PoolStrategy } from '@tallygate/contract/api/pool';
import type { EgressTarget } from '../egress/egress.ts';
import { compileGlob, type Glob } from '../kernel/glob.ts';
import type { ApiFlavor, ProviderAdapter } from '../providers/provider.ts';
import type { AccountState } from './account-state.ts';
import type { RequestAuthorizer } from './request-authorizer.ts';
import type { UpstreamState } from './upstream-state.ts';

/** An upstream account, ready to be used: nothing here has to be computed or decrypted for a request. */
export interface PoolAccount {
  id: string;
  /** Whose keys may use it. */
  workspaceId: string;
  name: string;
  adapter: ProviderAdapter;
  /** Row of the adapter's table of known servers; null when none was chosen. */
  preset: string | null;
  /** Provider id in the price book; null when its prices are unknown. */
  priceProvider: string | null;
  target: EgressTarget;
  /** Path of the base URL without trailing slash, put before the route's path; usually empty. */
  basePath: string;
  /** Query of the base URL with the question mark; usually empty. */
  baseQuery: string;
  /** Credential headers as a flat list of name, value. */
  credentialHeaders: readonly string[];
  /** Null where the credential headers say it all. */
  authorizer: RequestAuthorizer | null;
  flavors: ReadonlySet<ApiFlavor>;
  /** Compiled model patterns; empty serves every model. */
  models: readonly Glob[];
  /** Patterns that are whole names. */
  modelNames: readonly string[];
  priority: number;
  /** Share of the calls beside others of the same priority: weight times tier. */
  share: number;
  /** `project:ID` and `key:ID` of those it serves; empty serves everybody. */
  boundTo: readonly string[];
  paused: boolean;
  createdAtMs: number;
  /** What is known of the account now; outlives the snapshot this object is part of. */
  state: AccountState;
  /** What is known of all accounts at its origin together. */
  upstream: UpstreamState;
}

/** A named choice of accounts, with a strategy of its own. */
export interface NamedPool {
  id: string;
  name: string;
  strategy: PoolStrategy;
  accountIds: ReadonlySet<string>;
}

/** Accounts that are as good as one another for a call: the strategy chooses among them. */
export type CandidateGroup = readonly PoolAccount[];

/** Every account that can serve a call, the best group first. */
export type Candidates =
  | { groups: readonly [CandidateGroup, ...CandidateGroup[]] }
  /** `none`: no account speaks this format for this model; `paused`: some do, all of them paused. */
  | { groups: null; reason: 'none' | 'paused' };

/** True when the price book lists the model for that provider: the account most likely serves it. */
export type ModelKnown = (priceProvider: string, model: string) => boolean;

/** Compiles `*` patterns; matching is case-sensitive because model ids are. */
export const compileModelPatterns = (patterns: readonly string[]): Glob[] => patterns.map(compileGlob);

/** What has to be known of a call to find who can serve it. */
export interface CandidateCall {
  flavor: ApiFlavor;
  model: string | null;
  /** Whether the call can be translated for an account that does not speak its format. */
  translates?(account: PoolAccount): boolean;
  /** Whether the caller may use the account; absent for all. */
  allowed?(account: PoolAccount): boolean;
}

interface Ranked {
  account: PoolAccount;
  rank: readonly [format: number, named: number, priority: number, known: number];
}

/** The account speaks the format, or speaks it and is known not to have the model; or the call is translated for it. */
const SPOKEN = 0;
const TRANSLATED = 1;
const SPOKEN_IN_DOUBT = 2;

/**
 * The same format always goes first, with one exception: an account whose price list is known and lacks the model
 * would only answer that there is no such model, where one that is known to have it can be translated for.
 */
function formatRank(account: PoolAccount, flavor: ApiFlavor, [named, known]: [number, number]): number {
  if (!account.flavors.has(flavor)) return TRANSLATED;
  return named === 1 && known === 1 && account.priceProvider !== null ? SPOKEN_IN_DOUBT : SPOKEN;
}

function rankOf(
  account: PoolAccount,
  { flavor, model }: CandidateCall,
  modelKnown: ModelKnown,
): Ranked['rank'] {
  const named = account.models.length > 0 ? 0 : 1;
  const known =
    model !== null && account.priceProvider !== null && modelKnown(account.priceProvider, model) ? 0 : 1;
  return [formatRank(account, flavor, [named, known]), named, account.priority, known];
}

const isSure = ({ rank: [, named, , known] }: Ranked): boolean => named === 0 || known === 0;

function byRank(a: Ranked, b: Ranked): number {
  for (let i = 0; i < a.rank.length; i++) {
    const difference = (a.rank[i] ?? 0) - (b.rank[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.account.createdAtMs !== b.account.createdAtMs) return a.account.createdAtMs - b.account.createdAtMs;
  return a.account.id < b.account.id ? -1 : 1;
}

/**
 * Whether a call meant for the best account may move on to this one: the same kind of upstream, or one that is
 * known to have the model. Anything else would answer "no such model" in place of the real reason.
 */
function standsInFor(best: Ranked, other: Ranked): boolean {
  if (isSure(other)) return true;
  const same = best.account.adapter.id === other.account.adapter.id;
  return same && best.account.priceProvider === other.account.priceProvider;
}

/**
 * The accounts that may serve a call, whether or not they are paused. Beside accounts that speak its format, others
 * count only when they are known to have the model.
 */
function ableFor(accounts: readonly PoolAccount[], call: CandidateCall, modelKnown: ModelKnown): Ranked[] {
  const { flavor, model } = call;
  const able = accounts
    .filter((account) => account.flavors.has(flavor) || call.translates?.(account) === true)
    .filter(
      ({ models }) => models.length === 0 || model === null || models.some((pattern) => pattern.test(model)),
    )
    .map((account) => ({ account, rank: rankOf(account, call, modelKnown) }));
  const spoken = able.some(({ rank }) => rank[0] !== TRANSLATED);
  return spoken ? able.filter((ranked) => ranked.rank[0] !== TRANSLATED || isSure(ranked)) : able;
}

/**
 * Orders the accounts that can serve a call into groups: those that speak its format first, then those that name the
 * model, then lower priority numbers, then those whose price list knows the model; within a group, the oldest first.
 */
export function findCandidates(
  accounts: readonly PoolAccount[],
  call: CandidateCall,
  modelKnown: ModelKnown,
): Candidates {
  const able = ableFor(accounts, call, modelKnown).filter(
    ({ account }) => call.allowed === undefined || call.allowed(account),
  );
  if (able.length === 0) return { groups: null, reason: 'none' };
  const ranked = able.filter(({ account }) => !account.paused).sort(byRank);
  const [best] = ranked;
  if (best === undefined) return { groups: null, reason: 'paused' };
  const groups: [PoolAccount[], ...PoolAccount[][]] = [[best.account]];
  let last = best;
  for (const next of ranked.slice(1)) {
    if (!standsInFor(best, next)) continue;
    if (next.rank.every((part, i) => part === last.rank[i])) groups.at(-1)?.push(next.account);
    else groups.push([next.account]);
    last = next;
  }
  return { groups };
}

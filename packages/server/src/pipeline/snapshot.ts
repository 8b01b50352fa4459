import type { KeyScope } from '@tallygate/contract/api/keys';
import type { DisconnectPolicy } from '@tallygate/contract/api/projects';
import type { PriceBook } from '../accounting/price-book.ts';
import type { AddressSet } from '../kernel/address-set.ts';
import type { AccountReach } from '../pool/account-reach.ts';
import {
  type Candidates,
  findCandidates,
  type ModelKnown,
  type NamedPool,
  type PoolAccount,
} from '../pool/pool.ts';
import type { ApiFlavor } from '../providers/provider.ts';
import type { Rule } from '../rules/rule.ts';
import { type KeyLimits, type ProviderLimit, providerAllowed } from './key-limits.ts';
import type { Translators } from './translation/translators.ts';

export interface KeyEntry {
  id: string;
  workspaceId: string;
  projectId: string;
  /** Whose key it is; null for nobody's in particular. */
  userId: string | null;
  /** The secret this entry stands for: after a rotation a key has two entries for a while. */
  secretHash: string;
  scopes: ReadonlySet<KeyScope>;
  /** Who may use the keys of its workspace at all; null for everybody. */
  workspaceClients: AddressSet | null;
  /** Null when nothing narrows the key. */
  limits: KeyLimits | null;
  /** Null when no account is bound to anybody. */
  reach: AccountReach | null;
  expiresAtMs: number | null;
  disconnectPolicy: DisconnectPolicy;
}

/** What decides which accounts can serve a call. */
export interface CandidateQuery {
  workspaceId: string;
  flavor: ApiFlavor;
  model: string | null;
  /** Of the key; null allows all. */
  providers: ProviderLimit | null;
  reach: AccountReach | null;
  /** Null is the pool of all accounts. */
  pool: NamedPool | null;
}

/**
 * Everything the hot path needs to decide, immutable and in memory (architecture principle 6). A change of keys,
 * accounts, projects or prices builds a new one, swapped whole.
 */
export interface GateSnapshot {
  /** Unrevoked keys by SHA-256 of the whole key, lower-case hex. */
  readonly keys: ReadonlyMap<string, KeyEntry>;
  /** Stands for callers without a key, when client authentication is off (NX-02); null when it is on. */
  readonly open: KeyEntry | null;
  readonly accounts: readonly PoolAccount[];
  readonly pools: ReadonlyMap<string, NamedPool>;
  /** Of each workspace that has some, in the order in which they are tried; null when none has. */
  readonly rules: ReadonlyMap<string, readonly Rule[]> | null;
  readonly prices: PriceBook;
  /** Workspaces that are reached under a host name of their own; null when none is (NX-05). */
  readonly domains: ReadonlyMap<string, string> | null;
  /** True while the operator lets no traffic through (CF-18). */
  readonly paused: boolean;
  /** Accounts of the workspace that can serve the call, the best first; which of them does is the pool's choice. */
  candidates(query: CandidateQuery): Candidates;
}

/** False once the key was revoked, or its secret replaced without overlap. */
export function stillKnown(current: GateSnapshot, key: KeyEntry): boolean {
  return current.keys.has(key.secretHash) || current.open?.secretHash === key.secretHash;
}

/** Holds the current snapshot. */
export interface SnapshotHolder {
  current(): GateSnapshot;
}

/** What narrows a choice beside format and model; nothing does for most keys. */
function narrowing({ flavor, providers, reach, pool }: CandidateQuery): string {
  if (providers === null && reach === null && pool === null) return flavor;
  return `${flavor} ${providers?.fingerprint ?? ''} ${reach?.fingerprint ?? ''} ${pool?.id ?? ''}`;
}

/** Whether the account is there for the caller at all: one in reach, in the pool that a rule chose. */
function isThere({ reach, pool }: Pick<CandidateQuery, 'reach' | 'pool'>, account: PoolAccount): boolean {
  if (reach !== null && !reach.ids.has(account.id)) return false;
  return pool === null || pool.accountIds.has(account.id);
}

const MAX_CACHED_CHOICES = 2_000;

/** What was chosen before: by what narrows it, then by model. */
class Choices {
  readonly #known = new Map<string, Map<string, Candidates>>();
  #size = 0;

  of(query: CandidateQuery, find: () => Candidates): Candidates {
    const narrowed = narrowing(query);
    const model = query.model ?? '';
    const known = this.#known.get(narrowed)?.get(model);
    if (known !== undefined) return known;
    const choice = find();
    // Client-chosen names must not grow it without bound.
    if (this.#size >= MAX_CACHED_CHOICES) this.#forget();
    const byModel = this.#known.get(narrowed) ?? new Map<string, Candidates>();
    this.#known.set(narrowed, byModel.set(model, choice));
    this.#size += 1;
    return choice;
  }

  #forget(): void {
    this.#known.clear();
    this.#size = 0;
  }
}

/** What one workspace has to choose from, and what was chosen before. */
interface Own {
  accounts: PoolAccount[];
  choices: Choices;
}

function byWorkspace(accounts: readonly PoolAccount[]): Map<string, Own> {
  const owns = new Map<string, Own>();
  for (const account of accounts) {
    const own = owns.get(account.workspaceId);
    if (own) own.accounts.push(account);
    else owns.set(account.workspaceId, { accounts: [account], choices: new Choices() });
  }
  return owns;
}

const NO_ACCOUNT: Candidates = { groups: null, reason: 'none' };

/** Builds a snapshot; choices are remembered because they depend on nothing but the call's flavor, model and allowed providers. */
export function createSnapshot(
  parts: Pick<GateSnapshot, 'keys' | 'accounts' | 'pools' | 'rules' | 'prices' | 'paused'> &
    Partial<Pick<GateSnapshot, 'open' | 'domains'>>,
  modelKnown: ModelKnown,
  translators: Translators,
): GateSnapshot {
  const owns = byWorkspace(parts.accounts);
  return {
    ...parts,
    open: parts.open ?? null,
    domains: parts.domains ?? null,
    candidates(query) {
      const own = owns.get(query.workspaceId);
      if (own === undefined) return NO_ACCOUNT;
      return own.choices.of(query, () => {
        const { flavor, model, providers } = query;
        const translates = (account: PoolAccount): boolean => translators.find(flavor, account) !== null;
        const allowed = (account: PoolAccount): boolean =>
          providers === null || providerAllowed(providers, account);
        const there = own.accounts.filter((account) => isThere(query, account));
        return findCandidates(there, { flavor, model, translates, allowed }, modelKnown);
      });
    },
  };
}

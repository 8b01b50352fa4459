import { systemClock } from '../kernel/clock.ts';
import type { Secret } from '../kernel/secret.ts';
import type { AccountStates } from '../pool/account-state.ts';
import type { TokenSource } from '../pool/oauth/token-source.ts';
import { compileModelPatterns, type PoolAccount } from '../pool/pool.ts';
import type { RequestAuthorizer } from '../pool/request-authorizer.ts';
import type { UpstreamStates } from '../pool/upstream-state.ts';
import type { ApiFlavor, ProviderAdapter } from '../providers/provider.ts';
import type { AccountRow } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';

/**
 * Splits a base URL into what a connection needs and what goes before each path. A trailing version is dropped:
 * people copy base URLs with it and without it, and the routes bring it themselves.
 */
export function splitBaseUrl(baseUrl: string): { origin: string; basePath: string; baseQuery: string } {
  const url = new URL(baseUrl);
  const basePath = url.pathname.replace(/\/+$/, '').replace(/\/v1(?:beta)?$/, '');
  return { origin: url.origin, basePath, baseQuery: url.search };
}

function flavorsOf(adapter: ProviderAdapter, preset: string | null): ReadonlySet<ApiFlavor> {
  const row = adapter.presets.find((candidate) => candidate.id === preset);
  return new Set(row ? row.flavors : adapter.routes.map((route) => route.flavor));
}

/** The adapter of an account, in the variant that its base path asks for; null when this program has none. */
export function adapterOf(
  { provider, baseUrl }: Pick<AccountRow, 'provider' | 'baseUrl'>,
  adapters: readonly ProviderAdapter[],
): ProviderAdapter | null {
  const adapter = adapters.find((candidate) => candidate.id === provider) ?? null;
  return adapter?.variantAt?.(splitBaseUrl(baseUrl).basePath) ?? adapter;
}

/** For credentials that go into a signature instead of a header: always ready, and never another one. */
export function signerFor(adapter: ProviderAdapter, credential: Secret | null): RequestAuthorizer | null {
  const sign = adapter.signer?.(credential) ?? null;
  if (sign === null) return null;
  return {
    ready: () => true,
    prepare: async () => undefined,
    authorize: (request) => sign(request, systemClock.now()),
    version: () => 0,
    refused: () => false,
    refusedAgain: () => undefined,
  };
}

/**
 * Makes a stored account usable: opens its credential, compiles its patterns.
 * @returns null when its provider is not known to this program (a newer one wrote it)
 * @throws Error when the credential does not open with the current master key
 */
export function buildAccount(
  row: AccountRow,
  adapters: readonly ProviderAdapter[],
  {
    vault,
    states,
    upstreams,
    source,
  }: { vault: Vault; states: AccountStates; upstreams: UpstreamStates; source?: TokenSource | null },
): PoolAccount | null {
  const adapter = adapterOf(row, adapters);
  if (adapter === null) return null;
  const credential =
    row.sealedCredential === null
      ? null
      : vault.open(row.sealedCredential, { table: 'account', row: row.id, column: 'credential' });
  const { origin, basePath, baseQuery } = splitBaseUrl(row.baseUrl);
  const preset = adapter.presets.find((candidate) => candidate.id === row.preset);
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    name: row.name,
    adapter,
    preset: row.preset,
    priceProvider: preset ? preset.priceProvider : adapter.priceProvider,
    target: { origin, allowPrivate: row.allowPrivateUpstream, pinSha256: row.pinSha256 },
    basePath,
    baseQuery,
    credentialHeaders: source ? [] : adapter.credentialHeaders(credential).flat(),
    authorizer: source ?? signerFor(adapter, credential),
    flavors: flavorsOf(adapter, row.preset),
    models: compileModelPatterns(row.models),
    modelNames: row.models.filter((pattern) => !pattern.includes('*')),
    priority: row.priority,
    share: row.weight * row.tier,
    boundTo: row.boundTo,
    // Nothing is tried with an account that waits for a person.
    paused: row.paused || source?.needsReauth === true,
    createdAtMs: row.createdAtMs,
    state: states.of(row.id),
    upstream: upstreams.of(origin),
  };
}

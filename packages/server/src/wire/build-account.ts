import type { AccountStates } from '../pool/account-state.ts';
import type { TokenSource } from '../pool/oauth/token-source.ts';
import { compileModelPatterns, type PoolAccount } from '../pool/pool.ts';
import type { ApiFlavor, ProviderAdapter } from '../providers/provider.ts';
import type { AccountRow } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';

/**
 * Splits a base URL into what a connection needs and what goes before each path. A trailing version is dropped:
 * people copy base URLs with it and without it, and the routes bring it themselves.
 */
export function splitBaseUrl(baseUrl: string): { origin: string; basePath: string } {
  const url = new URL(baseUrl);
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '').replace(/\/v1(?:beta)?$/, '') };
}

function flavorsOf(adapter: ProviderAdapter, preset: string | null): ReadonlySet<ApiFlavor> {
  const row = adapter.presets.find((candidate) => candidate.id === preset);
  return new Set(row ? row.flavors : adapter.routes.map((route) => route.flavor));
}

/**
 * Makes a stored account usable: opens its credential, compiles its patterns.
 * @returns null when its provider is not known to this program (a newer one wrote it)
 * @throws Error when the credential does not open with the current master key
 */
export function buildAccount(
  row: AccountRow,
  adapters: readonly ProviderAdapter[],
  { vault, states, source }: { vault: Vault; states: AccountStates; source?: TokenSource | null },
): PoolAccount | null {
  const adapter = adapters.find((candidate) => candidate.id === row.provider);
  if (!adapter) return null;
  const credential =
    row.sealedCredential === null
      ? null
      : vault.open(row.sealedCredential, { table: 'account', row: row.id, column: 'credential' });
  const { origin, basePath } = splitBaseUrl(row.baseUrl);
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
    credentialHeaders: source ? [] : adapter.credentialHeaders(credential).flat(),
    authorizer: source ?? null,
    flavors: flavorsOf(adapter, row.preset),
    models: compileModelPatterns(row.models),
    priority: row.priority,
    weight: row.weight,
    // Nothing is tried with an account that waits for a person.
    paused: row.paused || source?.needsReauth === true,
    createdAtMs: row.createdAtMs,
    state: states.of(row.id),
  };
}

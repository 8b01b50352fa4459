import type { accountCreateRequest } from '@tallygate/contract/api/accounts';
import type { z } from 'zod';
import { destinationOf, type EgressPolicy } from '../../egress/egress-policy.ts';
import type { CompatiblePreset, ProviderAdapter } from '../../providers/provider.ts';
import type { Store } from '../../store/store.ts';
import { type InputProblem, invalidInput } from '../parse-input.ts';

export type AccountCreate = z.output<typeof accountCreateRequest>;

/** What an account is made of once the provider's and the preset's defaults are filled in. */
export interface ResolvedAccount {
  provider: ProviderAdapter;
  preset: CompatiblePreset | null;
  baseUrl: string;
  allowPrivateUpstream: boolean;
}

const problem = (path: string, message: string): InputProblem => ({ in: 'body', path, message });

/**
 * Where an account may point (SSRF): no credentials, query or fragment in the URL; plain http and addresses that are
 * not public only where the policy permits them. Names are judged again, by the addresses they resolve to, at every
 * connection.
 * @returns the URL without a trailing slash
 * @throws AppError `invalid_request` naming the field and what to do
 */
function checkedBaseUrl(
  text: string,
  { allowPrivate, policy, query }: { allowPrivate: boolean; policy: EgressPolicy; query: readonly string[] },
): string {
  const url = new URL(text);
  const refuse = (message: string): never => {
    throw invalidInput([problem('baseUrl', message)]);
  };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse('must start with https:// or http://');
  if (url.username !== '' || url.password !== '')
    refuse('must not carry a user name or password; use apiKey');
  if (url.hash !== '') refuse('must not have a fragment');
  if ([...url.searchParams.keys()].some((name) => !query.includes(name)) || url.search === '?') {
    refuse(query.length === 0 ? 'must not have a query' : `may have no query but ${query.join(', ')}`);
  }
  const to = destinationOf(url, allowPrivate);
  if (!policy.permitsHost(to)) {
    refuse(
      allowPrivate
        ? 'points to an address that this server never connects to, or only when EGRESS_ALLOW_HOSTS names it'
        : 'points to this machine or a private network, which needs allowPrivateUpstream: true or a line in EGRESS_ALLOW_HOSTS',
    );
  }
  if (url.protocol === 'http:' && !policy.mayBePrivate(to)) {
    refuse(
      'must be https; plain http would send the credential readable (allowPrivateUpstream: true or EGRESS_ALLOW_HOSTS permits it)',
    );
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * Fills in the defaults of provider and preset and checks that they fit together.
 * @throws AppError `invalid_request` naming the field
 */
export function resolveAccount(
  input: AccountCreate,
  {
    providers,
    egressPolicy,
    oauth = false,
  }: { providers: readonly ProviderAdapter[]; egressPolicy: EgressPolicy; oauth?: boolean },
): ResolvedAccount {
  const provider = providers.find((candidate) => candidate.id === input.provider);
  if (!provider) {
    const known = providers.map((candidate) => candidate.id).join(', ');
    throw invalidInput([problem('provider', `is not one of ${known}`)]);
  }
  const preset = findPreset(provider, input.preset);
  const allowPrivateUpstream = input.allowPrivateUpstream ?? preset?.private ?? false;
  const baseUrl = input.baseUrl ?? preset?.baseUrl ?? provider.defaultBaseUrl;
  if (baseUrl === null) {
    throw invalidInput([problem('baseUrl', 'is needed: this provider has no address of its own')]);
  }
  if (oauth && provider.oauthHeaders === null) {
    throw invalidInput([problem('provider', 'has no accounts that sign in with OAuth')]);
  }
  if (!oauth && (preset ?? provider).credentialRequired && input.apiKey === undefined) {
    throw invalidInput([
      problem('apiKey', `is needed: ${(preset ?? provider).name} answers nobody without one`),
    ]);
  }
  return {
    provider,
    preset,
    baseUrl: checkedBaseUrl(baseUrl, {
      allowPrivate: allowPrivateUpstream,
      policy: egressPolicy,
      query: provider.baseUrlQuery ?? [],
    }),
    allowPrivateUpstream,
  };
}

function findPreset(provider: ProviderAdapter, id: string | undefined): CompatiblePreset | null {
  if (id === undefined) return null;
  const preset = provider.presets.find((candidate) => candidate.id === id);
  if (preset) return preset;
  const known = provider.presets.map((candidate) => candidate.id).join(', ');
  const message = known === '' ? 'is not taken by this provider' : `is not one of ${known}`;
  throw invalidInput([problem('preset', message)]);
}

/**
 * Who an account may be bound to: projects and keys that there are.
 * @throws AppError `invalid_request`
 */
export async function checkBindings(
  boundTo: readonly string[] | undefined,
  workspaceId: string,
  { store }: { store: Pick<Store, 'config'> },
): Promise<void> {
  if (boundTo === undefined || boundTo.length === 0) return;
  const known = new Set([
    ...(await store.config.listProjects(workspaceId)).map(({ id }) => `project:${id}`),
    ...(await store.config.listKeys(workspaceId)).map(({ id }) => `key:${id}`),
  ]);
  const at = boundTo.findIndex((bound) => !known.has(bound));
  if (at !== -1) throw invalidInput([problem(`boundTo.${at}`, 'names no project or key that there is')]);
}

/**
 * A credential travels in a header: whatever cannot stand in one would fail every call later, far from here.
 * @throws AppError `invalid_request`, never quoting the credential
 */
export function checkedCredential(apiKey: string): string {
  const trimmed = apiKey.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    throw invalidInput([problem('apiKey', 'must be printable ASCII without spaces or line breaks')]);
  }
  return trimmed;
}

/**
 * Pins are checked in the TLS handshake: over plain http they would be accepted and protect nothing.
 * @throws AppError `invalid_request`
 */
export function checkedPins(pins: readonly string[] | undefined, baseUrl: string): string[] {
  if (pins === undefined || pins.length === 0) return [];
  if (!baseUrl.startsWith('https://')) {
    throw invalidInput([problem('pinSha256', 'needs an upstream that speaks https')]);
  }
  return [...pins];
}

import type { ProviderListView } from '@tallygate/contract/api/accounts';

/** One card of the choice: an adapter, or a row of an adapter's table of compatible services. */
export interface ProviderChoice {
  /** Unique in the list. */
  id: string;
  provider: string;
  preset: string | null;
  name: string;
  baseUrl: string | null;
  credentialRequired: boolean;
  private: boolean;
}

/** Adapters that have an address of their own first, then the presets, then "any other". */
export function providerChoices(list: ProviderListView['providers']): ProviderChoice[] {
  const own = list
    .filter((provider) => provider.defaultBaseUrl !== null)
    .map((provider) => ({
      id: provider.id,
      provider: provider.id,
      preset: null,
      name: provider.name,
      baseUrl: provider.defaultBaseUrl,
      credentialRequired: provider.credentialRequired,
      private: false,
    }));
  const presets = list.flatMap((provider) =>
    provider.presets.map((preset) => ({
      id: `${provider.id}/${preset.id}`,
      provider: provider.id,
      preset: preset.id,
      name: preset.name,
      baseUrl: preset.baseUrl,
      credentialRequired: preset.credentialRequired,
      private: preset.private,
    })),
  );
  const others = list
    .filter((provider) => provider.defaultBaseUrl === null)
    .map((provider) => ({
      id: provider.id,
      provider: provider.id,
      preset: null,
      name: `Any other ${provider.name} service`,
      baseUrl: null,
      credentialRequired: false,
      private: false,
    }));
  return [...own, ...presets, ...others];
}

/**
 * Whether an address is plainly on this machine or a private network. Only a hint for the form; the server's egress
 * guard resolves names and decides.
 */
export function looksPrivate(baseUrl: string): boolean {
  let host: string;
  try {
    host = new URL(baseUrl).hostname;
  } catch {
    return false;
  }
  return (
    host === 'localhost' ||
    host === '[::1]' ||
    /\.(local|internal|lan|home\.arpa)$/.test(host) ||
    /^(127|10)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\./.test(host) ||
    (!host.includes('.') && !host.includes(':'))
  );
}

/** One pattern a line, or separated by commas. */
export function parsePatterns(text: string): string[] {
  const items = text.split(/[\n,]/).map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

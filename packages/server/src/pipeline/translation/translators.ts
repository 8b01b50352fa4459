import type { PoolAccount } from '../../pool/pool.ts';
import type { ApiFlavor } from '../../providers/provider.ts';
import type { Format } from '../../translate/hub/format.ts';

/** How a call gets to an account that speaks another format. */
export interface Route {
  client: Format;
  upstream: Format;
  /** Format of the upstream, as its adapter calls it. */
  flavor: ApiFlavor;
}

/** Which formats can be translated into which. */
export interface Translators {
  formatOf(flavor: ApiFlavor): Format | null;
  /** The way of a call to the account, by the best format that the account speaks; null when there is none. */
  find(from: ApiFlavor, account: PoolAccount): Route | null;
}

/** Builds the look-up from the formats there are; any two of them make a pair. */
export function createTranslators(formats: ReadonlyMap<ApiFlavor, Format>): Translators {
  return {
    formatOf: (flavor) => formats.get(flavor) ?? null,
    find(from, account) {
      const client = formats.get(from);
      if (client === undefined) return null;
      for (const flavor of account.adapter.translatedTo) {
        const upstream = formats.get(flavor);
        if (upstream !== undefined && account.flavors.has(flavor)) return { client, upstream, flavor };
      }
      return null;
    },
  };
}

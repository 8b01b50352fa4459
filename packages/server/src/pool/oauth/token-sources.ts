import type { OauthTokens } from './oauth-tokens.ts';
import { TokenSource, type TokenSourceDeps, type TokenUse } from './token-source.ts';

/** The token sources of all OAuth accounts, by account; snapshots are rebuilt often, sources are not. */
export class TokenSources {
  readonly #byId = new Map<string, TokenSource>();
  readonly #deps: TokenSourceDeps;

  constructor(deps: TokenSourceDeps) {
    this.#deps = deps;
  }

  /** The source of the account, with these tokens or newer ones. */
  of(accountId: string, tokens: OauthTokens, use: TokenUse): TokenSource {
    const known = this.#byId.get(accountId);
    if (known !== undefined) {
      known.adopt(tokens, use);
      return known;
    }
    const source = new TokenSource(accountId, { tokens, use }, this.#deps);
    this.#byId.set(accountId, source);
    return source;
  }

  find(accountId: string): TokenSource | null {
    return this.#byId.get(accountId) ?? null;
  }

  keepOnly(accountIds: ReadonlySet<string>): void {
    for (const id of this.#byId.keys()) if (!accountIds.has(id)) this.#byId.delete(id);
  }

  /** Starts the renewals that are due; resolves when those have ended. */
  async renewDue(nowMs: number): Promise<void> {
    const due = [...this.#byId.values()].filter((source) => source.due(nowMs));
    await Promise.all(due.map((source) => source.renew()));
  }
}

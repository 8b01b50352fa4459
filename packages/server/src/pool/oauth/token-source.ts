import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { OutgoingRequest, RequestAuthorizer } from '../request-authorizer.ts';
import type { OauthTokens, RefreshTurns, TokenStore } from './oauth-tokens.ts';
import { refreshTokens, type TokenCallDeps, TokenEndpointError, type TokenGrant } from './token-endpoint.ts';

export interface TokenSourceDeps {
  tokens: TokenStore;
  turns: RefreshTurns;
  egress: TokenCallDeps['egress'];
  clock: Clock;
  /** From 0 to 1, for jitter. */
  random(): number;
  wait(ms: number): Promise<void>;
  /** How long before their end tokens are refreshed while nothing waits for them. */
  aheadMs: number;
  /** New tokens are in use. */
  renewed(accountId: string): void;
  /** From now on only a person can help; told once, by the process that found out. */
  needsReauth(accountId: string, reason: string): void;
  failed(accountId: string, error: unknown): void;
}

/** How the account puts the token on a request, and where its token endpoint may be. */
export interface TokenUse {
  headers(headers: readonly string[], accessToken: Secret): string[];
  allowPrivate: boolean;
}

/** A token that has less than this left is not used for a new request, if there is a newer one to be had (NX-03). */
const MIN_LEFT_MS = 60_000;
/** A request waits no longer than this for new tokens. */
const MAX_WAIT_MS = 15_000;
/** Another process that has the turn is waited for this long. */
const TURN_WAIT_MS = 20_000;
const TURN_POLL_MS = 100;
const FIRST_BACKOFF_MS = 5_000;
const MAX_BACKOFF_MS = 5 * 60_000;
const SAVE_TRIES = 4;
const SAVE_PAUSE_MS = 250;

/**
 * The current token of one account, for the life of the process. Refreshes ahead of the end, once for all who wait
 * and, by a turn in the store, once for all processes; new tokens are stored before the first request sees them.
 */
export class TokenSource implements RequestAuthorizer {
  readonly accountId: string;
  readonly #deps: TokenSourceDeps;
  #use: TokenUse;
  #tokens: OauthTokens;
  /** The upstream refused this version: no request uses it again. */
  #refusedVersion = 0;
  #running: Promise<void> | null = null;
  /** What the endpoint gave and the store has not taken yet; `from` is worthless now. */
  #unsaved: { from: OauthTokens; to: Omit<OauthTokens, 'version'> } | null = null;
  #failures = 0;
  #notBeforeMs = 0;
  /** Spreads the refreshes of several processes and accounts. */
  #jitter: number;

  constructor(accountId: string, start: { tokens: OauthTokens; use: TokenUse }, deps: TokenSourceDeps) {
    this.accountId = accountId;
    this.#deps = deps;
    this.#tokens = start.tokens;
    this.#use = start.use;
    this.#jitter = deps.random();
  }

  get needsReauth(): boolean {
    return this.#tokens.reauthReason !== null;
  }

  status(): Pick<OauthTokens, 'expiresAtMs' | 'reauthReason'> {
    const { expiresAtMs, reauthReason } = this.#tokens;
    return { expiresAtMs, reauthReason };
  }

  /** Takes over what the store holds, when it is newer. */
  adopt(tokens: OauthTokens, use: TokenUse = this.#use): void {
    this.#use = use;
    if (tokens.version <= this.#tokens.version) return;
    this.#tokens = tokens;
    this.#jitter = this.#deps.random();
    this.#failures = 0;
    this.#notBeforeMs = 0;
    if (tokens.reauthReason === null) this.#deps.renewed(this.accountId);
  }

  /** Time before the end at which the tokens are renewed: never more than half of their life. */
  #marginMs(wantedMs: number): number {
    const { expiresAtMs, obtainedAtMs } = this.#tokens;
    return expiresAtMs === null ? 0 : Math.min(wantedMs, Math.max(0, expiresAtMs - obtainedAtMs) / 2);
  }

  #leftMs(nowMs: number): number {
    return (this.#tokens.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
  }

  /** The token would be taken, as far as anybody knows. */
  #usable(nowMs: number): boolean {
    const { reauthReason, version } = this.#tokens;
    return reauthReason === null && version > this.#refusedVersion && this.#leftMs(nowMs) > 0;
  }

  #fresh(nowMs: number, marginMs: number): boolean {
    return this.#usable(nowMs) && this.#leftMs(nowMs) > this.#marginMs(marginMs);
  }

  ready(nowMs: number): boolean {
    // While refreshing fails, a token that still works is better than none.
    return this.#fresh(nowMs, MIN_LEFT_MS) || (nowMs < this.#notBeforeMs && this.#usable(nowMs));
  }

  async prepare(): Promise<void> {
    const { clock, wait } = this.#deps;
    // Twice: a renewal that was under way may have looked at the token before it was refused.
    for (let tries = 0; tries < 2 && !this.#fresh(clock.now(), MIN_LEFT_MS); tries++) {
      if (clock.now() < this.#notBeforeMs || this.needsReauth) break;
      await Promise.race([this.renew(), wait(MAX_WAIT_MS)]);
    }
    if (this.#usable(clock.now())) return;
    throw new AppError(this.needsReauth ? 'account_needs_reauth' : 'oauth_token_unavailable');
  }

  authorize(request: OutgoingRequest): string[] {
    return this.#use.headers(request.headers, this.#tokens.accessToken);
  }

  version(): number {
    return this.#tokens.version;
  }

  refused(version: number): boolean {
    this.#refusedVersion = Math.max(this.#refusedVersion, version);
    if (this.#tokens.version <= version && !this.needsReauth) {
      this.#notBeforeMs = 0;
      void this.renew();
    }
    return !this.needsReauth;
  }

  refusedAgain(version: number): void {
    if (version < this.#tokens.version) return;
    void this.#giveUp(this.#tokens, 'token_refused').catch((error: unknown) => this.#failed(error));
  }

  /** True when it is time to renew although nothing waits. */
  due(nowMs: number): boolean {
    if (this.needsReauth || nowMs < this.#notBeforeMs) return false;
    return this.#unsaved !== null || !this.#fresh(nowMs, this.#deps.aheadMs * (1 + this.#jitter / 2));
  }

  /** Renews once for all who ask meanwhile. Never rejects: what went wrong shows in the tokens. */
  renew(): Promise<void> {
    this.#running ??= this.#renew()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  #failed(error: unknown): void {
    const { clock, random } = this.#deps;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    this.#notBeforeMs = clock.now() + backoffMs * (0.5 + random() / 2);
    this.#deps.failed(this.accountId, error);
  }

  /** Takes in what the store holds; true when that settles it. */
  async #settledByStore(): Promise<boolean> {
    const stored = await this.#deps.tokens.read(this.accountId);
    if (stored === null) return true; // the account is gone
    this.adopt(stored);
    if (this.#unsaved !== null) return this.#saveUnsaved(stored);
    return this.needsReauth || this.#fresh(this.#deps.clock.now(), this.#deps.aheadMs);
  }

  async #renew(): Promise<void> {
    const { clock, turns, wait, random } = this.#deps;
    const untilMs = clock.now() + TURN_WAIT_MS;
    for (;;) {
      if (await this.#settledByStore()) return;
      const turn = await turns.take(this.accountId);
      if (turn !== null) {
        try {
          // What was read before the turn may be what its last holder replaced.
          if (!(await this.#settledByStore())) await this.#refresh();
          return;
        } finally {
          await turn.end();
        }
      }
      if (clock.now() >= untilMs) throw new Error('another process has been refreshing for too long');
      await wait(TURN_POLL_MS * (0.5 + random()));
    }
  }

  async #refresh(): Promise<void> {
    const from = this.#tokens;
    const { egress, clock } = this.#deps;
    if (from.refreshToken === null) {
      // Nothing to refresh with: the token is used until its end, and then a person has to sign in.
      if (!this.#usable(clock.now())) await this.#giveUp(from, 'no_refresh_token');
      else this.#notBeforeMs = from.expiresAtMs ?? 0;
      return;
    }
    let grant: TokenGrant;
    try {
      const { refreshToken, clientSecret, client } = from;
      const { allowPrivate } = this.#use;
      grant = await refreshTokens(client, { refreshToken, clientSecret }, { egress, allowPrivate });
    } catch (error) {
      if (!(error instanceof TokenEndpointError) || !error.definitive) throw error;
      return this.#giveUp(from, error.code ?? 'refused');
    }
    const obtainedAtMs = clock.now();
    this.#unsaved = {
      from,
      to: {
        client: from.client,
        accessToken: grant.accessToken,
        refreshToken: grant.refreshToken ?? from.refreshToken,
        clientSecret: from.clientSecret,
        obtainedAtMs,
        expiresAtMs: grant.lifeMs === null ? null : obtainedAtMs + grant.lifeMs,
        reauthReason: null,
      },
    };
    await this.#saveUnsaved(from);
  }

  /**
   * Stores what the endpoint gave, before anything uses it. The old tokens are gone for good, so this is tried again
   * until it works. Another process may meanwhile have found the old refresh token used up and given up: ours are the
   * good ones. Only a person's sign-in wins over them.
   * @returns true when there are good tokens now
   */
  async #saveUnsaved(read: OauthTokens): Promise<boolean> {
    let stored: OauthTokens | null = read;
    while (this.#unsaved !== null) {
      const { from, to } = this.#unsaved;
      const overtaken: boolean =
        stored === null || (stored.version !== from.version && stored.reauthReason === null);
      if (stored === null || overtaken) {
        this.#unsaved = null;
        if (stored !== null) this.adopt(stored);
      } else stored = await this.#save(stored, to);
    }
    return this.#fresh(this.#deps.clock.now(), MIN_LEFT_MS);
  }

  /** @returns what the store holds instead, when somebody else changed it meanwhile */
  async #save(stored: OauthTokens, to: Omit<OauthTokens, 'version'>): Promise<OauthTokens | null> {
    const { tokens, wait } = this.#deps;
    for (let tries = 1; ; tries++) {
      try {
        if (!(await tokens.replace(this.accountId, stored, to))) return await tokens.read(this.accountId);
        this.#unsaved = null;
        const saved = { ...to, version: stored.version + 1 };
        this.adopt(saved);
        return saved;
      } catch (error) {
        if (tries >= SAVE_TRIES) throw error;
        await wait(SAVE_PAUSE_MS * 2 ** tries);
      }
    }
  }

  async #giveUp(from: OauthTokens, reason: string): Promise<void> {
    const { version, ...rest } = from;
    const to = { ...rest, reauthReason: reason };
    if (await this.#deps.tokens.replace(this.accountId, from, to)) {
      this.adopt({ ...to, version: version + 1 });
      this.#deps.needsReauth(this.accountId, reason);
      return;
    }
    const stored = await this.#deps.tokens.read(this.accountId);
    if (stored !== null) this.adopt(stored);
  }
}

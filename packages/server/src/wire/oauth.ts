import { setTimeout as sleep } from 'node:timers/promises';
import { openOauthRow, toOauthRow } from '../admin/oauth/oauth-rows.ts';
import type { OauthDefaults } from '../admin/oauth/sign-in-input.ts';
import type { Config } from '../config/settings.ts';
import type { Egress } from '../egress/egress.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { AccountStates } from '../pool/account-state.ts';
import type { RefreshTurns, TokenStore } from '../pool/oauth/oauth-tokens.ts';
import { TOKEN_CALL_MS, TokenEndpointError } from '../pool/oauth/token-endpoint.ts';
import type { TokenSource } from '../pool/oauth/token-source.ts';
import { TokenSources } from '../pool/oauth/token-sources.ts';
import type { LeaseStore } from '../store/ports/leases.ts';
import type { OauthStore } from '../store/ports/oauth.ts';
import type { AccountRow, Store } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import { ADAPTERS } from './adapters.ts';
import { systemAct } from './audit-events.ts';
import { adapterOf } from './build-account.ts';

/** Longer than a call to the token endpoint and the tries to store what it gave. */
const TURN_MS = TOKEN_CALL_MS + 15_000;
const CHECK_EVERY_MS = 5_000;

interface OauthGround {
  store: Store;
  vault: Vault;
  egress: Egress;
  states: AccountStates;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  config: { oauthRefreshAheadMs: number };
}

/** The accounts that sign in with OAuth, and their tokens. */
export interface OauthAccounts {
  /** Takes in what the store holds of these accounts; the sources of those that sign in with OAuth, by account. */
  load(rows: readonly AccountRow[]): Promise<ReadonlyMap<string, TokenSource>>;
  find(accountId: string): TokenSource | null;
  renewDue(nowMs: number): Promise<void>;
  /** Called when an account can no longer be used, or can be again. */
  onChange(listener: () => Promise<void>): void;
}

function tokenStore(oauth: OauthStore, vault: Vault): TokenStore {
  return {
    async read(accountId) {
      const row = await oauth.findAccountOauth(accountId);
      return row === null ? null : openOauthRow(row, vault);
    },
    replace: (accountId, from, to) =>
      oauth.updateOauthTokens(accountId, from.version, toOauthRow(accountId, to, vault)),
  };
}

function refreshTurns(leases: LeaseStore, { clock, newId }: { clock: Clock; newId: IdSource }): RefreshTurns {
  return {
    async take(accountId) {
      const nowMs = clock.now();
      const lease = await leases.acquireLease(`oauth:${accountId}`, {
        holder: newId(),
        nowMs,
        expiresAtMs: nowMs + TURN_MS,
      });
      return lease === null ? null : { end: () => leases.releaseLease(lease) };
    },
  };
}

/** What happened, for the log: the endpoint's error carries no secret, others are named by their class alone. */
function reasonOf(error: unknown): string {
  return error instanceof TokenEndpointError ? error.message : 'the token endpoint could not be asked';
}

/** Builds the token sources on store, vault and guarded connections. */
export function createOauthAccounts(ground: OauthGround): OauthAccounts {
  const { store, vault, egress, states, clock, logger } = ground;
  let changed: () => Promise<void> = async () => undefined;

  async function tellNeedsReauth(accountId: string, reason: string): Promise<void> {
    logger.warn('account has to sign in again', { accountId, reason });
    states.turned();
    await changed();
    const about = {
      resource: 'account',
      resourceId: accountId,
      changes: [{ field: 'needsReauth', before: null, after: reason }],
    };
    await store.audit.append(systemAct(clock.now(), 'account.needs_reauth', about));
  }

  const sources = new TokenSources({
    tokens: tokenStore(store.oauth, vault),
    turns: refreshTurns(store.leases, ground),
    egress,
    clock,
    random: Math.random,
    wait: (ms) => sleep(ms, undefined, { ref: false }),
    aheadMs: ground.config.oauthRefreshAheadMs,
    renewed(accountId) {
      states.of(accountId).accept(); // what was refused was the token before
    },
    needsReauth(accountId, reason) {
      tellNeedsReauth(accountId, reason).catch((error: unknown) =>
        logger.error('that an account has to sign in again could not be recorded', { accountId, error }),
      );
    },
    failed: (accountId, error) =>
      logger.warn('tokens could not be renewed; it is tried again', {
        accountId,
        reason: reasonOf(error),
        error,
      }),
  });

  return {
    find: (accountId) => sources.find(accountId),
    renewDue: (nowMs) => sources.renewDue(nowMs),
    onChange(listener) {
      changed = listener;
    },
    async load(rows) {
      const loaded = new Map<string, TokenSource>();
      const stored = await store.oauth.listAccountOauth();
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const oauth of stored) {
        const account = byId.get(oauth.accountId);
        if (account === undefined) continue;
        const headers = adapterOf(account, ADAPTERS)?.oauthHeaders ?? null;
        if (headers === null) continue;
        const use = { headers, allowPrivate: account.allowPrivateUpstream };
        loaded.set(account.id, sources.of(account.id, openOauthRow(oauth, vault), use));
      }
      sources.keepOnly(new Set(stored.map((row) => row.accountId)));
      return loaded;
    },
  };
}

/**
 * Renews tokens ahead of their end.
 * @returns stops it
 */
export function keepRenewed(oauth: OauthAccounts, clock: Clock): () => void {
  const timer = setInterval(() => void oauth.renewDue(clock.now()), CHECK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** What the settings say about OAuth. */
export function oauthDefaults(config: Config): OauthDefaults {
  return {
    enabled: config.oauthAccounts,
    clientId: config.oauthClientId,
    authorizeUrl: config.oauthAuthorizeUrl,
    tokenUrl: config.oauthTokenUrl,
    redirectUri: config.oauthRedirectUri,
    scopes: config.oauthScopes,
    tokenFormat: config.oauthTokenFormat,
  };
}

import type { AccountTest } from '@tallygate/contract/api/accounts';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import type { PoolStrategy, PoolView } from '@tallygate/contract/api/pool';
import type { RuleTestView, ruleTestRequest } from '@tallygate/contract/api/rules';
import type { PriceQuote, SystemView } from '@tallygate/contract/api/system';
import type { CostLineView } from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import type { Egress } from '../egress/egress.ts';
import type { EgressPolicy } from '../egress/egress-policy.ts';
import type { AccessRules } from '../identity/access.ts';
import type { LoginThrottle } from '../identity/login-throttle.ts';
import type { Passkeys } from '../identity/passkeys.ts';
import type { PasswordHasher } from '../identity/password-hash.ts';
import type { SecondFactor } from '../identity/second-factor.ts';
import type { Sessions } from '../identity/sessions.ts';
import type { SetupCode } from '../identity/setup-code.ts';
import type { SingleSignOn } from '../identity/sso.ts';
import type { RandomBytes } from '../identity/token.ts';
import type { UserHash } from '../identity/user-hash.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { LiveFeed } from '../ledger/live-feed.ts';
import type { AccountState } from '../pool/account-state.ts';
import type { ProviderAdapter } from '../providers/provider.ts';
import type { KeyAddressWatch } from '../security/key-addresses.ts';
import type { SecurityMonitor } from '../security/security-monitor.ts';
import type { AccountRow, Store, StoredEvent } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import type { VaultKeeper } from '../vault/vault-keeper.ts';
import type { Alerting } from './alerts/alerting.ts';
import type { BudgetBook } from './budgets/budget-book.ts';
import type { LimitBook } from './limits/limit-book.ts';
import type { OauthDefaults } from './oauth/sign-in-input.ts';

/** One thing that has to work before traffic may come; `reason` is safe to show and null when all is well. */
export interface ReadinessCheck {
  name: string;
  ok: boolean;
  reason: string | null;
}

/** The pool's strategy and who set it. */
export interface PoolControl {
  view(): PoolView;
  /** Null goes back to the setting. */
  choose(strategy: PoolStrategy | null): Promise<PoolView>;
}

/** What is known of an account's tokens right now. */
export interface OauthStatus {
  expiresAtMs: number | null;
  reauthReason: string | null;
}

/** What the admin side needs from the rest of the server. */
export interface AdminDeps {
  store: Store;
  vault: Vault;
  /** How ids that clients send for users and sessions are stored; null as they come. */
  userHash: UserHash | null;
  keeper: VaultKeeper;
  clock: Clock;
  newId: IdSource;
  randomBytes: RandomBytes;
  logger: Logger;
  /** The workspace that the installation began with: its owners own the installation. */
  firstWorkspaceId: string;
  providers: readonly ProviderAdapter[];
  /** Where an upstream account may point. */
  egressPolicy: EgressPolicy;
  budgets: BudgetBook;
  alerting: Alerting;
  limits: LimitBook;
  /** Makes the data plane see what the store holds now; awaited after every write of configuration. */
  refreshSnapshot(): Promise<void>;
  /** @throws AppError `invalid_request` when the provider is unknown or its answer cannot be read */
  quotePrice(input: { provider: string; model: string; atMs: number; answer: unknown }): PriceQuote;
  /** How the cost of this row came about; null when it has none or the card is gone. */
  costLinesOf(event: StoredEvent): CostLineView[] | null;
  journalStatus(): SystemView['journal'];
  priceInfo(): SystemView['prices'];
  /** What the operator should change; empty when all is as it should be. */
  systemWarnings(): readonly SystemView['warnings'][number][];
  testAccount(account: AccountRow): Promise<AccountTest>;
  security: SecurityMonitor;
  keyAddresses: KeyAddressWatch;
  /** Ends every request on its way to or from an upstream; returns how many. */
  endRunningRequests(): number;
  /** What is found about the files and settings of this server: is it safe, and is it in order. */
  checkHost(): Promise<{ safety: CheckResult[]; order: CheckResult[] }>;
  /** The settings in force, secrets masked. */
  shownSettings(): { name: string; value: string }[];
  /** Of these, who may connect here and what sets it. */
  networkSettings(): { name: string; variable: string | null; value: string; doc: string }[];
  /** Ends the proxied calls that are on their way with this key. */
  endCallsOf(keyId: string): void;
  /** What is known of an account right now. */
  accountState(accountId: string): AccountState;
  pool: PoolControl;
  /** Which rule would apply to a request. @throws AppError `invalid_request` */
  testRules(workspaceId: string, asked: z.output<typeof ruleTestRequest>): RuleTestView;
  /** Accounts that sign in with OAuth. */
  oauth: {
    defaults: OauthDefaults;
    /** The way to token endpoints. */
    egress: Egress;
    /** Null for accounts with an API key or none. */
    status(accountId: string): OauthStatus | null;
  };
  liveFeed: LiveFeed;
  /** Prometheus text exposition. */
  metricsText(): Promise<string>;
  readiness(): Promise<{ ok: boolean; checks: readonly ReadinessCheck[] }>;
  setup: SetupCode;
  info: { version: string; startedAtMs: number; storeKind: string };
}

/** What the admin side shares among its own resources. */
export interface AdminServices {
  hasher: PasswordHasher;
  sessions: Sessions;
  access: AccessRules;
  throttle: LoginThrottle;
  secondFactor: SecondFactor;
  passkeys: Passkeys;
  /** Null when no identity provider is set. */
  sso: SingleSignOn | null;
  /** Ends the streams that a credential keeps open, because it is worthless from now on. */
  endStreamsOf(credential: string): void;
}

export type AdminContext = AdminDeps & AdminServices;

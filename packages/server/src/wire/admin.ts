import type { AccountTest } from '@tallygate/contract/api/accounts';
import type { SystemView } from '@tallygate/contract/api/system';
import type { AdminDeps } from '../admin/admin-deps.ts';
import { checkHost } from '../checkup/host.ts';
import { networkSettings, shownSettings } from '../config/explain-config.ts';
import type { SetupCode } from '../identity/setup-code.ts';
import type { LiveFeed } from '../ledger/live-feed.ts';
import type { AccountRow } from '../store/store.ts';
import { ADAPTERS } from './adapters.ts';
import { buildAccount } from './build-account.ts';
import { type Core, systemRandomBytes } from './core.ts';
import { oauthDefaults } from './oauth.ts';
import { costLinesView, quoteView } from './prices.ts';
import { programVersion } from './program.ts';
import { testAccount } from './test-account.ts';
import { testRules } from './test-rules.ts';

/** What differs between a running server and a command line that opened the store itself. */
export interface AdminParts {
  alerting: AdminDeps['alerting'];
  setup: SetupCode;
  liveFeed: LiveFeed;
  startedAtMs: number;
  journalStatus(): SystemView['journal'];
  metricsText(): Promise<string>;
  readiness: AdminDeps['readiness'];
  endRunningRequests: AdminDeps['endRunningRequests'];
  endCallsOf: AdminDeps['endCallsOf'];
}

/** Tries an account as the data plane would use it. */
async function tryAccount(core: Core, row: AccountRow): Promise<AccountTest> {
  const { states, upstreams } = core.pooling;
  const { vault, egress, clock } = core;
  const sources = await core.oauth.load([row]);
  const account = buildAccount(row, ADAPTERS, {
    vault,
    states,
    upstreams,
    source: sources.get(row.id) ?? null,
  });
  if (!account) {
    return {
      ok: false,
      httpStatus: null,
      latencyMs: null,
      message: 'This program does not know the provider.',
      models: [],
    };
  }
  const result = await testAccount(account, { egress, nowMs: clock.now, monotonicMs: clock.monotonicMs });
  if (result.models.length > 0) account.state.listed(result.models, clock.now());
  return result;
}

/** Gives the admin side what it needs of the rest, and no more. */
export function adminDeps(core: Core, parts: AdminParts): AdminDeps {
  const { store, vault, clock, newId, logger, snapshot, egress } = core;
  const { states, control } = core.pooling;
  const priceProviderOf = (accountId: string | null): string | null =>
    snapshot.current().accounts.find((account) => account.id === accountId)?.priceProvider ?? null;
  return {
    store,
    vault,
    userHash: core.userHash,
    keeper: core.keeper,
    clock,
    newId,
    logger,
    randomBytes: systemRandomBytes,
    firstWorkspaceId: core.workspaceId,
    security: core.security,
    keyAddresses: core.keyAddresses,
    checkHost: () =>
      checkHost({
        config: core.config,
        paths: core.paths,
        uid: process.getuid?.() ?? null,
        now: () => new Date(clock.now()),
        settingsFile: core.settingsFile,
        masterKeyFrom: 'the environment of the server',
        listening: core.listening,
      }),
    shownSettings: () => shownSettings(core.config),
    networkSettings: () => networkSettings(core.config),
    providers: ADAPTERS,
    egressPolicy: core.egressPolicy,
    budgets: core.budgets,
    limits: core.limits,
    accountState: (id) => states.of(id),
    pool: control,
    testRules: (workspaceId, asked) => testRules(core, workspaceId, asked),
    oauth: {
      defaults: oauthDefaults(core.config),
      egress,
      status: (id) => core.oauth.find(id)?.status() ?? null,
    },
    refreshSnapshot: () => snapshot.refresh(),
    quotePrice: (input) => quoteView(snapshot.current().prices, input),
    costLinesOf: (event) => costLinesView(snapshot.current().prices, event, priceProviderOf(event.accountId)),
    priceInfo: () => ({ version: snapshot.current().prices.version, cards: snapshot.current().prices.cards }),
    testAccount: (row) => tryAccount(core, row),
    systemWarnings: () => [
      ...core.liveWarnings.flatMap((warnings) => warnings()),
      ...core.domains.problems.map((message) => ({ code: 'credential_file', message })),
    ],
    info: { version: programVersion(), startedAtMs: parts.startedAtMs, storeKind: store.capabilities.kind },
    ...parts,
  };
}

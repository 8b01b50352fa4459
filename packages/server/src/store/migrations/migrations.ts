import { createConfigTables } from './0001-config.ts';
import { createLedgerTables } from './0002-ledger.ts';
import { createPeopleTables } from './0003-people.ts';
import { extendKeysAndVault } from './0004-keys.ts';
import { createAuditTables } from './0005-audit.ts';
import { createBudgetTable } from './0006-budgets.ts';
import { addAccountPins } from './0007-account-pins.ts';
import { createPoolTables } from './0008-pool.ts';
import { createOauthTables } from './0009-oauth.ts';
import { addEnvironments } from './0010-environments.ts';
import { createAlertTables } from './0011-alerts.ts';
import { createPasskeyTable } from './0012-passkeys.ts';
import { createWorkspaces } from './0013-workspaces.ts';
import { createRateLimitTable } from './0014-rate-limits.ts';
import { createSsoTable } from './0015-sso.ts';
import { extendBudgets } from './0016-budget-scopes.ts';
import { addPoolsAndRules } from './0017-pools-and-rules.ts';
import { addOutagePolicy } from './0018-outage-policy.ts';
import { addConfigTurn } from './0019-config-turn.ts';
import { addWorkspaceAddresses } from './0020-workspace-addresses.ts';
import { addSessionIndex } from './0021-session-index.ts';
import { addSpentChallenges } from './0022-spent-challenges.ts';
import { addSlidingBudgets } from './0023-sliding-budgets.ts';
import { addNodesAndJobs } from './0024-nodes.ts';
import { addFoldedUsernames } from './0025-folded-usernames.ts';
import { addRefundedIndex } from './0026-refunded-index.ts';
import type { Migration } from './migration.ts';

/** Every migration, in order, without gaps. */
export const MIGRATIONS: readonly Migration[] = [
  createConfigTables,
  createLedgerTables,
  createPeopleTables,
  extendKeysAndVault,
  createAuditTables,
  createBudgetTable,
  addAccountPins,
  createPoolTables,
  createOauthTables,
  addEnvironments,
  createAlertTables,
  createPasskeyTable,
  createWorkspaces,
  createRateLimitTable,
  createSsoTable,
  extendBudgets,
  addPoolsAndRules,
  addOutagePolicy,
  addConfigTurn,
  addWorkspaceAddresses,
  addSessionIndex,
  addSpentChallenges,
  addSlidingBudgets,
  addNodesAndJobs,
  addFoldedUsernames,
  addRefundedIndex,
];

import type { AccountView } from '@tallygate/contract/api/accounts';
import type { AccountState } from '../../pool/account-state.ts';
import type { AccountRow } from '../../store/store.ts';
import type { AdminDeps, OauthStatus } from '../admin-deps.ts';
import { toIso, toIsoOrNull } from '../instant.ts';

/** What is known of an account right now. */
interface AccountMoment {
  state: AccountState;
  oauth: OauthStatus | null;
  nowMs: number;
}

/** What keeps the account from serving: the provider's limits first, then a refused credential, then failures. */
function conditionOf(
  row: AccountRow,
  state: AccountState,
  { oauth, nowMs }: Pick<AccountMoment, 'oauth' | 'nowMs'>,
): AccountView['condition'] {
  if (row.paused) return 'paused';
  if (oauth !== null && oauth.reauthReason !== null) return 'needs_reauth';
  if (state.benches.some((bench) => bench.model === null && bench.untilMs > nowMs)) return 'limited';
  if (state.refusedAtMs !== null) return 'refused';
  if (state.resting(nowMs)) return 'resting';
  if (state.softUntilMs > nowMs || state.benches.some((bench) => bench.untilMs > nowMs)) return 'warned';
  return 'ready';
}

/** A stored account with what is known of it right now. */
export function accountView(row: AccountRow, { state, oauth, nowMs }: AccountMoment): AccountView {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    preset: row.preset,
    baseUrl: row.baseUrl,
    credentialHint: row.credentialHint,
    allowPrivateUpstream: row.allowPrivateUpstream,
    pinSha256: row.pinSha256,
    models: row.models,
    priority: row.priority,
    weight: row.weight,
    paused: row.paused,
    condition: conditionOf(row, state, { oauth, nowMs }),
    limits: state.benches
      .filter((bench) => bench.untilMs > nowMs)
      .map(({ model, reason, untilMs }) => ({ model, reason, until: toIso(untilMs) })),
    windows: state.windows
      .filter((window) => window.resetAtMs === null || window.resetAtMs > nowMs)
      .map(({ name, utilization, limit, remaining, resetAtMs, status, observedAtMs }) => ({
        name,
        utilization,
        limit,
        remaining,
        status,
        resetAt: toIsoOrNull(resetAtMs),
        observedAt: toIso(observedAtMs),
      })),
    oauth:
      oauth === null ? null : { expiresAt: toIsoOrNull(oauth.expiresAtMs), reauthReason: oauth.reauthReason },
    createdAt: toIso(row.createdAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
  };
}

/** The same for an account of the running server. */
export function viewOfAccount(deps: AdminDeps, row: AccountRow): AccountView {
  const { accountState, oauth, clock } = deps;
  return accountView(row, { state: accountState(row.id), oauth: oauth.status(row.id), nowMs: clock.now() });
}

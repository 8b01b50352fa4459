import type { AccountView } from '@tallygate/contract/api/accounts';
import { AppError } from '../../kernel/errors.ts';
import type { AccountState } from '../../pool/account-state.ts';
import type { WindowUse } from '../../pool/rate-limit-headers.ts';
import { forecastWindow } from '../../pool/window-forecast.ts';
import type { PoolRow } from '../../store/ports/pool.ts';
import type { AccountRow } from '../../store/store.ts';
import type { AdminDeps, OauthStatus } from '../admin-deps.ts';
import { toIso, toIsoOrNull } from '../instant.ts';

/** What is known of an account right now. */
interface AccountMoment {
  state: AccountState;
  oauth: OauthStatus | null;
  names: AccountNames;
  nowMs: number;
}

/** What keeps the account from serving: the provider's limits first, then a refused credential, then failures. */
export function conditionOf(
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

/** Names of what an account may be bound to, and the pools there are. */
interface AccountNames {
  projects: ReadonlyMap<string, string>;
  keys: ReadonlyMap<string, string>;
  pools: readonly PoolRow[];
}

async function loadAccountNames(
  { store }: Pick<AdminDeps, 'store'>,
  workspaceId: string | null,
): Promise<AccountNames> {
  const projects = await store.config.listProjects(workspaceId);
  const keys = await store.config.listKeys(workspaceId);
  return {
    projects: new Map(projects.map((row) => [row.id, row.slug])),
    keys: new Map(keys.map((row) => [row.id, row.name])),
    pools: await store.pool.listPools(workspaceId),
  };
}

function bindingView(bound: string, names: AccountNames): AccountView['boundTo'][number] {
  const [kind = '', id = ''] = bound.split(/:(.*)/s);
  if (kind === 'key') return { kind, id, name: names.keys.get(id) ?? id };
  return { kind: 'project', id, name: names.projects.get(id) ?? id };
}

function windowView(window: WindowUse, state: AccountState, nowMs: number): AccountView['windows'][number] {
  const forecast = forecastWindow(window, state.samples.get(window.name), nowMs);
  return {
    name: window.name,
    utilization: window.utilization,
    limit: window.limit,
    remaining: window.remaining,
    status: window.status,
    resetAt: toIsoOrNull(window.resetAtMs),
    observedAt: toIso(window.observedAtMs),
    forecast:
      forecast === null
        ? null
        : {
            utilizationAtReset: Math.round(forecast.utilizationAtReset * 1000) / 1000,
            exhaustedAt: toIsoOrNull(forecast.exhaustedAtMs),
          },
  };
}

/** A stored account with what is known of it right now. */
function accountView(row: AccountRow, { state, oauth, names, nowMs }: AccountMoment): AccountView {
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
    tier: row.tier,
    notes: row.notes,
    boundTo: row.boundTo.map((bound) => bindingView(bound, names)),
    pools: names.pools
      .filter((pool) => pool.accountIds.includes(row.id))
      .map(({ id, name }) => ({ id, name })),
    paused: row.paused,
    condition: conditionOf(row, state, { oauth, nowMs }),
    limits: state.benches
      .filter((bench) => bench.untilMs > nowMs)
      .map(({ model, reason, untilMs }) => ({ model, reason, until: toIso(untilMs) })),
    windows: state.windows
      .filter((window) => window.resetAtMs === null || window.resetAtMs > nowMs)
      .map((window) => windowView(window, state, nowMs)),
    oauth:
      oauth === null ? null : { expiresAt: toIsoOrNull(oauth.expiresAtMs), reauthReason: oauth.reauthReason },
    createdAt: toIso(row.createdAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
  };
}

/** The same for accounts of one workspace of the running server. */
export async function viewAccounts(deps: AdminDeps, rows: readonly AccountRow[]): Promise<AccountView[]> {
  const { accountState, oauth, clock } = deps;
  const [first] = rows;
  if (first === undefined) return [];
  const names = await loadAccountNames(deps, first.workspaceId);
  return rows.map((row) =>
    accountView(row, {
      state: accountState(row.id),
      oauth: oauth.status(row.id),
      names,
      nowMs: clock.now(),
    }),
  );
}

/** The same for one of them. */
export async function viewOfAccount(deps: AdminDeps, row: AccountRow): Promise<AccountView> {
  const [only] = await viewAccounts(deps, [row]);
  if (only === undefined) throw new AppError('resource_not_found');
  return only;
}

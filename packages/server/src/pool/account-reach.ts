import type { PoolAccount } from './pool.ts';

/** The accounts that a caller may use, where accounts are bound to callers. */
export interface AccountReach {
  ids: ReadonlySet<string>;
  /** Equal for equal sets: choices are remembered under it. */
  fingerprint: string;
}

type Bound = Pick<PoolAccount, 'id' | 'adapter' | 'boundTo'>;

/**
 * Which accounts a key may use. An account that is bound serves nobody else; and for each kind of upstream, a caller
 * with accounts of its own uses no others: those of its key, else those of its project, else those that are bound to
 * nobody.
 * @returns always null when no account is bound: then nothing has to be asked
 */
export function createReachOf(
  accounts: readonly Bound[],
): (key: { id: string; projectId: string }) => AccountReach | null {
  if (accounts.every((account) => account.boundTo.length === 0)) return () => null;
  const byAdapter = Map.groupBy(accounts, (account) => account.adapter.id);
  const known = new Map<string, AccountReach>();
  return ({ id, projectId }) => {
    const ids = [...byAdapter.values()].flatMap((group) => {
      const bound = (to: string) => group.filter((account) => account.boundTo.includes(to));
      const ofKey = bound(`key:${id}`);
      if (ofKey.length > 0) return ofKey;
      const ofProject = bound(`project:${projectId}`);
      return ofProject.length > 0 ? ofProject : group.filter((account) => account.boundTo.length === 0);
    });
    const fingerprint = ids
      .map((account) => account.id)
      .sort()
      .join(',');
    let reach = known.get(fingerprint);
    if (reach === undefined) {
      reach = { ids: new Set(ids.map((account) => account.id)), fingerprint };
      known.set(fingerprint, reach);
    }
    return reach;
  };
}

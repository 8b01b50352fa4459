import type { SafetyFacts } from '@tallygate/server/checkup/safety-checks';
import type { AdminApi } from '../client/admin-api.ts';

/** What the checks want to know of the store, asked of the server or of the store itself. */
export const serverFacts = (api: AdminApi): SafetyFacts => ({
  people: async () => (await api.users.list()).users,
  keys: async () => (await api.keys.list()).keys,
  /** The newest backup that succeeded, by the audit log. */
  async backups() {
    const { entries } = await api.audit.list({ action: 'POST /api/backup', outcome: 'ok', limit: '1' });
    const [first] = (await api.audit.exportPage({ limit: '1' })).lines;
    const begunAt = first === undefined ? null : (JSON.parse(first) as { at: string }).at;
    return { lastAt: entries[0]?.at ?? null, begunAt };
  },
  auditLog: () => api.audit.verify({}),
  findings: async () => (await api.incident.state()).security.findings,
});

import type { incidentExportResponse } from '@tallygate/contract/api/incident';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import type { z } from 'zod';
import { verifyChain } from '../../store/ports/audit-chain.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { keyViews } from '../keys/key-view.ts';
import { securityOverview } from '../security/overview.ts';

/** Everything that may be asked about this moment later, but for the audit log itself, which is exported beside it. */
export async function incidentState(deps: AdminDeps): Promise<z.input<typeof incidentExportResponse>> {
  const { store, clock, info } = deps;
  const pause = await store.incident.readPause();
  const keys: ApiKeyView[] = [];
  for (const { id } of await store.config.listWorkspaces()) keys.push(...(await keyViews(deps, id)));
  const accounts = await store.config.listAccounts(null);
  const { entries, head, problems } = await verifyChain(store.audit);
  return {
    at: toIso(clock.now()),
    version: info.version,
    paused: pause === null ? null : { since: toIso(pause.sinceMs), reason: pause.reason, by: pause.by },
    settings: deps.shownSettings(),
    keys: keys.map(({ project, ...view }) => ({ ...view, projectId: project.id })),
    accounts: accounts.map(({ id, name, provider, baseUrl, credentialHint, paused }) => ({
      id,
      name,
      provider,
      baseUrl,
      credentialHint,
      paused,
    })),
    audit: { ok: problems.length === 0, entries, head, problems },
    security: await securityOverview(deps),
  };
}

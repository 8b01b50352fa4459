import { importRequest, importResponse } from '@tallygate/contract/api/imports';
import { assertHolds } from '../../identity/principal.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { importAccounts } from './import-accounts.ts';
import { importEvents } from './import-events.ts';
import { importKeys } from './import-keys.ts';

/** Taking over accounts, keys and history of another system. */
export function importRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      access: 'permitted',
      permission: 'accounts.manage',
      method: 'POST',
      path: '/api/imports',
      summary: 'Take over accounts, client keys and past requests of another system; repeatable',
      audit: 'secret',
      rateClass: 'none',
      body: importRequest,
      response: importResponse,
      async handler({ body, principal, workspaceId, audit }) {
        assertHolds(principal, ['accounts.manage', 'keys.manage', 'projects.manage'], 'an import');
        const call = { source: body.source, dryRun: body.dryRun, workspaceId };
        const accounts = await importAccounts(deps, body.accounts, call);
        const keys = await importKeys(deps, body.keys, call);
        const events = await importEvents(deps, body.events, call);
        const after = {
          source: body.source,
          dryRun: body.dryRun,
          accounts: accounts.added,
          keys: keys.added,
          events: events.added,
        };
        audit.changed('import', null, { after });
        if (accounts.added + keys.added > 0 && !body.dryRun) await deps.refreshSnapshot();
        return { body: { accounts, keys, events } };
      },
    }),
  ];
}

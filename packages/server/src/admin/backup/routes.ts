import { isAbsolute } from 'node:path';
import { backupRequest, backupResponse } from '@tallygate/contract/api/system';
import { formatNanoUsd } from '@tallygate/contract/money';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { createSingleFlight } from '../single-flight.ts';

/** Backups (WT-13). Only through the local socket: the path is one of the server's own machine. */
export function backupRoutes(deps: AdminDeps): AdminRoute[] {
  const alone = createSingleFlight('A backup');
  return [
    jsonRoute({
      method: 'POST',
      path: '/api/backup',
      summary: 'Write a consistent, verified copy of the store to a new file on this machine',
      access: 'local',
      rateClass: 'heavy',
      body: backupRequest,
      response: backupResponse,
      async handler({ body, audit }) {
        if (!isAbsolute(body.path) || body.path.includes('\0')) {
          throw invalidInput([{ in: 'body', path: 'path', message: 'must be an absolute path' }]);
        }
        const done = await alone(() => deps.store.maintenance.backup(body.path));
        audit.changed('backup', null, { after: { ...done, path: body.path } });
        return {
          body: {
            path: body.path,
            bytes: done.bytes,
            events: done.events,
            costUsd: formatNanoUsd(done.costNanoUsd),
          },
        };
      },
    }),
  ];
}

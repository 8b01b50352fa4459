import {
  type AuditFormat,
  auditExportQuery,
  auditExportResponse,
  auditListResponse,
  auditQuery,
  auditVerifyRequest,
  auditVerifyResponse,
} from '@tallygate/contract/api/audit';
import { auditJsonLine, auditSyslogLine } from '@tallygate/contract/audit-format';
import type { z } from 'zod';
import type { AuditFilter } from '../../store/ports/audit.ts';
import { type ChainProblem, verifyChain } from '../../store/ports/audit-chain.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toMs } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { createSingleFlight } from '../single-flight.ts';
import { auditView } from './audit-view.ts';

const LINE_OF = { jsonl: auditJsonLine, syslog: auditSyslogLine } as const satisfies Record<
  AuditFormat,
  unknown
>;

function filterOf(query: z.output<typeof auditQuery>, workspaceId: string | null): AuditFilter {
  const fromMs = query.from === undefined ? undefined : toMs(query.from);
  const endMs = query.to === undefined ? undefined : toMs(query.to);
  if (fromMs !== undefined && endMs !== undefined) assertForward(fromMs, endMs, { in: 'query', path: 'to' });
  return {
    workspaceId,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(endMs === undefined ? {} : { toMs: endMs }),
    ...(query.actor === undefined ? {} : { actorId: query.actor }),
    ...(query.action === undefined ? {} : { action: query.action }),
    ...(query.outcome === undefined ? {} : { outcomes: query.outcome }),
    ...(query.resource === undefined ? {} : { resource: query.resource }),
    ...(query.resourceId === undefined ? {} : { resourceId: query.resourceId }),
    ...(query.address === undefined ? {} : { address: query.address }),
  };
}

/** The chain may be whole and yet not the one that was there: an entry kept elsewhere tells. */
async function compareWithKept(
  deps: AdminDeps,
  expect: z.output<typeof auditVerifyRequest>['expect'],
): Promise<ChainProblem[]> {
  if (expect === undefined) return [];
  const [entry] = await deps.store.audit.readAfter(expect.seq - 1, 1);
  if (entry?.seq === expect.seq && entry.hash === expect.hash) return [];
  const message = `Entry ${expect.seq} is not the one whose hash was given: the log was rewritten.`;
  return [{ seq: expect.seq, kind: 'replaced', message }];
}

/** The audit log: read, proved, and handed out in forms that other systems take. */
export function auditRoutes(deps: AdminDeps): AdminRoute[] {
  const { audit } = deps.store;
  const alone = createSingleFlight('A verification of the audit log');
  const guarded = { access: 'permitted', permission: 'audit.view' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/audit',
      summary: 'Who did what, newest first; `nextCursor` continues the list',
      query: auditQuery,
      response: auditListResponse,
      async handler({ query, workspaceId }) {
        const { limit } = query;
        // Entries of the first workspace name none, as those of the installation, which is its owners' business.
        const whose = workspaceId === deps.firstWorkspaceId ? null : workspaceId;
        const page = { limit: limit + 1, beforeSeq: query.cursor ?? null };
        const found = await audit.list(filterOf(query, whose), page);
        const entries = found.slice(0, limit);
        const last = entries.at(-1);
        return {
          body: {
            entries: entries.map(auditView),
            nextCursor: found.length > limit && last !== undefined ? String(last.seq) : null,
          },
        };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/audit/export',
      reach: 'installation',
      summary: 'The audit log in the order of its chain, as JSON lines or RFC 5424 syslog lines',
      audit: 'access',
      rateClass: 'write',
      query: auditExportQuery,
      response: auditExportResponse,
      async handler({ query }) {
        const found = await audit.readAfter(query.after, query.limit + 1);
        const entries = found.slice(0, query.limit);
        const last = entries.at(-1);
        return {
          body: {
            format: query.format,
            lines: entries.map((entry) => LINE_OF[query.format](auditView(entry))),
            next: found.length > query.limit && last !== undefined ? last.seq : null,
          },
        };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/audit/verify',
      reach: 'installation',
      summary: 'Walk the whole chain and name every entry that was changed, removed, added or cut off',
      audit: 'none', // it must be possible to look at a log that cannot be written any more
      rateClass: 'heavy',
      body: auditVerifyRequest,
      response: auditVerifyResponse,
      async handler({ body }) {
        const { entries, head, problems } = await alone(() => verifyChain(audit));
        const all = [...problems, ...(await compareWithKept(deps, body.expect))];
        return { body: { ok: all.length === 0, entries, head, problems: all } };
      },
    }),
  ];
}

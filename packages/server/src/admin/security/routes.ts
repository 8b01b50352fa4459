import { checkupResponse, dependencyReport } from '@tallygate/contract/api/checkup';
import { emptySchema } from '@tallygate/contract/api/common';
import {
  cspReportRequest,
  networkSettingsResponse,
  securityOverviewResponse,
} from '@tallygate/contract/api/security';
import type { AdminDeps } from '../admin-deps.ts';
import { nameOfCaller } from '../caller-name.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { createSingleFlight } from '../single-flight.ts';
import { keepDependencyReport, lastCheckup, runCheckup } from './checkup.ts';
import { securityOverview } from './overview.ts';

/** A report of a page with a long policy fits several times. */
const REPORT_LIMIT_BYTES = 16 * 1024;
const MAX_TEXT_CHARS = 200;

/** Origin and path of an address, or the word that stands for none (`inline`, `eval`): what follows may be secret. */
function withoutQuery(text: string): string {
  const url = URL.parse(text);
  const shown =
    url === null || url.host === ''
      ? (/^[a-z-]{1,40}/i.exec(text)?.[0] ?? '')
      : `${url.origin}${url.pathname}`;
  return shown.slice(0, MAX_TEXT_CHARS);
}

/** What `tallygate security-check` and `tallygate doctor` find, as far as the server can look at itself (CF-13). */
function checkupRoutes(deps: AdminDeps): AdminRoute[] {
  const alone = createSingleFlight('A check of this installation');
  const guarded = { access: 'permitted', permission: 'system.manage', reach: 'installation' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/security/checkup',
      summary: 'What the last check of this installation found, and when',
      response: checkupResponse,
      handler: async () => ({ body: { lastRun: await lastCheckup(deps) } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/security/checkup',
      summary:
        'Check this installation: files, settings, people, keys, backups, audit log, store and journal',
      rateClass: 'heavy',
      response: checkupResponse,
      handler: async ({ principal }) => ({
        body: { lastRun: await alone(() => runCheckup(deps, nameOfCaller(principal))) },
      }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/security/dependencies',
      summary:
        'Keep what "tallygate security-check" learnt about vulnerabilities of packages, for the checks',
      access: 'local',
      body: dependencyReport,
      response: emptySchema,
      async handler({ body }) {
        await keepDependencyReport(deps, body);
        return { body: {} };
      },
    }),
  ];
}

/** The security panel (NX-10), and where browsers report what the content security policy kept out. */
export function securityRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    ...checkupRoutes(deps),
    jsonRoute({
      method: 'GET',
      path: '/api/security/overview',
      summary: 'Failed sign-ins, refusals and blocked connections of the last day, and what they mean',
      access: 'permitted',
      permission: 'audit.view',
      reach: 'installation',
      rateClass: 'write',
      response: securityOverviewResponse,
      handler: async () => ({ body: await securityOverview(deps) }),
    }),
    jsonRoute({
      method: 'GET',
      path: '/api/security/network',
      summary: 'Who may connect here, by the settings of the server',
      access: 'permitted',
      permission: 'system.view',
      response: networkSettingsResponse,
      handler: async () => ({ body: { settings: deps.networkSettings() } }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/csp-report',
      summary: 'Where browsers report violations of the content security policy',
      access: 'public',
      csrf: 'origin',
      rateClass: 'report',
      audit: 'none', // counted: anybody can send these
      bodyLimitBytes: REPORT_LIMIT_BYTES,
      body: cspReportRequest,
      response: emptySchema,
      async handler({ body, origin }) {
        const report = body['csp-report'];
        const directive = report['effective-directive'] ?? report['violated-directive'] ?? '';
        deps.security.cspReport(
          {
            directive: (/^[a-z-]{1,40}/.exec(directive)?.[0] ?? 'unknown').slice(0, MAX_TEXT_CHARS),
            blocked: withoutQuery(report['blocked-uri'] ?? ''),
            page: withoutQuery(report['document-uri'] ?? ''),
          },
          origin.address,
        );
        return { body: {} };
      },
    }),
  ];
}

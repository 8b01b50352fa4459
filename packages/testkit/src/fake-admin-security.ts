import type { AuditEntryView } from '@tallygate/contract/api/audit';
import { SECURITY_KINDS, type SecurityKind, type SecurityOverview } from '@tallygate/contract/api/security';
import { ago } from './fake-admin-world.ts';

const ENTRIES = 1_500;

function entry(seq: number): AuditEntryView {
  const refused = seq % 9 === 0;
  return {
    seq,
    at: ago((ENTRIES - seq) / 50),
    actor: { kind: 'user', id: 'usr_1', name: 'owner' },
    action: refused ? 'POST /api/auth/login' : 'PATCH /api/projects/:id',
    class: refused ? 'access' : 'change',
    outcome: refused ? 'refused' : 'ok',
    status: refused ? 401 : 200,
    errorCode: refused ? 'invalid_credentials' : null,
    requestId: `req-${seq}`,
    address: '192.0.2.7',
    userAgent: 'Mozilla/5.0',
    resource: refused ? 'user' : 'project',
    resourceId: refused ? 'usr_1' : 'prj_1',
    workspaceId: null,
    changes: refused ? [] : [{ field: 'name', before: `Name ${seq - 1}`, after: `Name ${seq}` }],
    prevHash: String(seq - 1).padStart(64, '0'),
    hash: String(seq).padStart(64, '0'),
  };
}

/** A page of the audit log, newest first. */
export function fakeAuditPage(url: URL): { entries: AuditEntryView[]; nextCursor: string | null } {
  const limit = Number(url.searchParams.get('limit') ?? 100);
  const before = Number(url.searchParams.get('cursor') ?? ENTRIES + 1);
  const outcome = url.searchParams.get('outcome');
  const entries: AuditEntryView[] = [];
  let seq = before - 1;
  for (; seq > 0 && entries.length < limit; seq--) {
    const one = entry(seq);
    if (outcome === null || one.outcome === outcome) entries.push(one);
  }
  return { entries, nextCursor: seq > 0 ? String(entries.at(-1)?.seq ?? seq) : null };
}

const counts = (change: Partial<Record<SecurityKind, number>> = {}) => ({
  ...(Object.fromEntries(SECURITY_KINDS.map((kind) => [kind, 0])) as Record<SecurityKind, number>),
  ...change,
});

export function fakeSecurityOverview(): SecurityOverview {
  const failed = counts({ login_failed: 14, unauthorized: 3 });
  return {
    since: ago(2),
    hours: Array.from({ length: 24 }, (_, index) => ({
      start: ago((23 - index) / 24),
      counts: index === 23 ? failed : counts(),
    })),
    addresses: [{ name: '203.0.113.9', lastAt: ago(0.01), lastHour: failed, lastDay: failed }],
    keyPrefixes: [],
    hosts: [],
    cspReports: [
      { at: ago(0.2), directive: 'script-src', blocked: 'inline', page: 'http://127.0.0.1:4100/' },
    ],
    findings: [
      {
        rule: 'failed_by_address',
        about: '203.0.113.9',
        severity: 'warning',
        message:
          '203.0.113.9 failed to sign in 14 times and sent 3 requests with a wrong or missing key within an hour.',
        advice: 'If it is not one of your own machines, block the address in front of the gate.',
      },
    ],
  };
}

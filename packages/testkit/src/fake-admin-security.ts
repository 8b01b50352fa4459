import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { CheckupRun } from '@tallygate/contract/api/checkup';
import {
  type NetworkSettings,
  SECURITY_KINDS,
  type SecurityKind,
  type SecurityOverview,
} from '@tallygate/contract/api/security';
import type { SsoSettings } from '@tallygate/contract/api/sso';
import type { VaultView } from '@tallygate/contract/api/vault';
import type { WorkspaceView } from '@tallygate/contract/api/workspaces';
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

export function fakeVault(): VaultView {
  return {
    masterKey: { id: '52d1c1c7f0a94b1e', source: 'file' },
    nextMasterKeyId: null,
    dataKeys: [
      { id: '0a1b2c3d4e5f6071', createdAt: ago(400), active: false, values: 0 },
      { id: '9f8e7d6c5b4a3920', createdAt: ago(12), active: true, values: 14 },
    ],
    otherValues: 0,
    job: null,
  };
}

export function fakeSso(): SsoSettings {
  return {
    provider: {
      name: 'Example SSO',
      issuer: 'https://id.example.com/realms/main',
      clientId: 'tallygate',
      hasClientSecret: true,
      scopes: 'openid profile email',
      userClaim: 'preferred_username',
      roleClaim: 'groups',
      returnUrl: null,
      secondFactor: 'gate',
      grants: [
        { group: 'llm-admins', role: 'admin', workspace: 'default', problem: null },
        { group: 'lab', role: 'viewer', workspace: 'gone', problem: 'There is no workspace "gone".' },
      ],
    },
  };
}

export const fakeNetwork = (): NetworkSettings => ({
  settings: [
    {
      name: 'adminListen',
      variable: 'ADMIN_LISTEN',
      value: '10.0.0.5:4200',
      doc: 'An address of their own for dashboard, administrative API and metrics.',
    },
    {
      name: 'adminAllowedAddresses',
      variable: 'ADMIN_ALLOWED_ADDRESSES',
      value: '10.0.0.0/8, 192.168.0.0/16, fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:0/112',
      doc: 'Addresses and networks that reach dashboard, administrative API and metrics.',
    },
  ],
});

export function fakeWorkspaces(): { workspaces: WorkspaceView[] } {
  const row = { slug: 'default', first: true, allowedAddresses: [], createdAt: ago(300) };
  const research = { slug: 'research', first: false, allowedAddresses: ['10.0.0.0/8', '2001:db8::/32'] };
  return {
    workspaces: [
      { id: 'wsp_1', name: 'Default', ...row },
      { id: 'wsp_2', name: 'Applied research', ...row, ...research },
    ],
  };
}

/** A run of the checks that found something of everything. */
export function fakeCheckup(): CheckupRun {
  return {
    at: ago(0.2),
    by: 'owner',
    safety: [
      {
        id: 'data_files',
        status: 'fail',
        message: 'Other users of this machine can get at tallygate.db and 3 more.',
        fix: "chmod -R go= '/var/lib/tallygate'",
        command: "chmod -R go= '/var/lib/tallygate'",
      },
      {
        id: 'dependencies',
        status: 'warn',
        message:
          'Nobody has looked up known vulnerabilities of the packages in use; the server asks nobody outside.',
        fix: 'Run on the machine of the server: tallygate security-check',
        command: 'tallygate security-check',
      },
      {
        id: 'second_factors',
        status: 'warn',
        message: '2 of 9 people sign in with a password alone: mira, otto.',
        fix: 'Set one up under My security in the dashboard; People demands it of whole roles.',
      },
      { id: 'tls', status: 'ok', message: 'The certificate is good for 71 days.', fix: null },
    ],
    order: [{ id: 'disk_space', status: 'ok', message: '81.3 GiB free for the data directory.', fix: null }],
  };
}

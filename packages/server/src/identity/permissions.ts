/** What a caller may do on the admin side, and in words. Roles and key scopes are sets of these. */
export const PERMISSION_TEXTS = {
  'dashboard.view': 'Open the dashboard',
  'usage.view': 'See totals, charts and breakdowns',
  'logs.view': 'See single requests',
  'logs.redact': 'Remove tags and session ids from requests',
  'payloads.view': 'See stored prompts and answers',
  'metrics.view': 'Read the metrics for monitoring',
  'api.request': 'Send requests through the gate',
  'keys.manage': 'Create, rename and revoke API keys',
  'projects.manage': 'Create and change projects',
  'accounts.manage': 'Add, change and remove upstream accounts',
  'prices.manage': 'Set own prices',
  'budgets.view': 'See budgets and what is left of them',
  'budgets.manage': 'Set budgets and limits',
  'alerts.view': 'See alerts and what they have told',
  'alerts.manage': 'Set alerts and where they go',
  'users.manage': 'Invite people, change roles, end sessions',
  'audit.view': 'Read the audit trail',
  'security.manage': 'Set security rules, such as who needs a second factor',
  'system.view': 'See the state of the server',
  'system.manage': 'Operate the installation: rebuild sums, keys of the vault',
} as const satisfies Record<string, string>;

export type Permission = keyof typeof PERMISSION_TEXTS;

export const PERMISSIONS = Object.keys(PERMISSION_TEXTS) as readonly Permission[];
export const ALL_PERMISSIONS: ReadonlySet<Permission> = new Set(PERMISSIONS);

export function isPermission(name: string): name is Permission {
  return Object.hasOwn(PERMISSION_TEXTS, name);
}

const VIEWER: readonly Permission[] = ['dashboard.view', 'usage.view', 'budgets.view', 'alerts.view'];
const DEVELOPER: readonly Permission[] = [...VIEWER, 'logs.view', 'metrics.view', 'api.request'];
const MANAGER: readonly Permission[] = [
  ...DEVELOPER,
  'keys.manage',
  'projects.manage',
  'budgets.manage',
  'alerts.manage',
];

/** What they are about belongs to the whole installation, so they hold in its first workspace only. */
const INSTALLATION_PERMISSIONS: ReadonlySet<Permission> = new Set<Permission>([
  'prices.manage',
  'metrics.view',
  'security.manage',
  'system.view',
  'system.manage',
]);

/** True for a permission over what all workspaces share. */
export const isInstallationWide = (permission: Permission): boolean =>
  INSTALLATION_PERMISSIONS.has(permission);

/** What of these permissions counts for somebody by a workspace of their own, and what by the first one. */
export function permissionsIn(
  here: ReadonlySet<Permission>,
  inFirst: ReadonlySet<Permission>,
): ReadonlySet<Permission> {
  const own = [...here].filter((permission) => !INSTALLATION_PERMISSIONS.has(permission));
  return new Set([...own, ...[...inFirst].filter((permission) => INSTALLATION_PERMISSIONS.has(permission))]);
}

/** The roles every workspace has. All but `owner` lack `system.manage`, so none of them can touch an owner. */
export const BUILT_IN_ROLES: Readonly<Record<string, ReadonlySet<Permission>>> = {
  owner: ALL_PERMISSIONS,
  admin: new Set(PERMISSIONS.filter((permission) => permission !== 'system.manage')),
  manager: new Set(MANAGER),
  developer: new Set(DEVELOPER),
  viewer: new Set(VIEWER),
  auditor: new Set<Permission>([...VIEWER, 'logs.view', 'audit.view', 'system.view']),
};

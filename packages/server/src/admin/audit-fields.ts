import type { AuditChange } from '../store/ports/audit.ts';

/**
 * Fields whose values the audit log may hold, by resource. What is not named here is never written, so a secret
 * cannot get into the log by being forgotten (TW-14). A new credential shows as a new hint.
 */
export const AUDIT_FIELDS = {
  api_key: [
    'name',
    'prefix',
    'scopes',
    'projectId',
    'userId',
    'restrictions',
    'expiresAtMs',
    'rotatedAtMs',
    'revokedAtMs',
  ],
  workspace: ['slug', 'name', 'allowedAddresses'],
  membership: ['userId', 'role'],
  project: ['slug', 'name', 'environment', 'disconnectPolicy'],
  account: [
    'name',
    'provider',
    'preset',
    'baseUrl',
    'credentialHint',
    'allowPrivateUpstream',
    'pinSha256',
    'models',
    'priority',
    'weight',
    'tier',
    'boundTo',
    'paused',
  ],
  pool: ['name', 'strategy', 'accountIds'],
  rule: ['name', 'enabled', 'conditions', 'actions', 'order'],
  budget: [
    'name',
    'scope',
    'measure',
    'limit',
    'window',
    'windowHours',
    'sliding',
    'timeZone',
    'mode',
    'unpriced',
    'provisionalNanoUsdPerMtok',
  ],
  alert_rule: [
    'name',
    'environment',
    'severity',
    'filter',
    'condition',
    'channelIds',
    'cooldownMs',
    'notifyRecovery',
    'enabled',
  ],
  alert_channel: ['name', 'kind', 'destination', 'allowPrivate', 'template', 'enabled'],
  limit: ['name', 'scope', 'per', 'measure', 'limit', 'window', 'burst'],
  price_override: ['provider', 'model', 'validFromMs', 'validToMs', 'ratesPicoUsd', 'note'],
  user: ['username', 'role'],
  passkey: ['name', 'rpId'],
  sso_identity: ['issuer', 'subject'],
  backup: ['path', 'events', 'bytes'],
  redaction: ['by', 'fromMs', 'toMs', 'dryRun', 'rows'],
  traffic: ['paused', 'reason'],
  import: ['source', 'dryRun', 'accounts', 'keys', 'events'],
  all_keys: ['revoked'],
  all_sessions: ['ended'],
  master_key: ['id'],
} as const satisfies Record<string, readonly string[]>;

export type AuditResource = keyof typeof AUDIT_FIELDS;

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The allowed fields that differ. `null` stands for a resource that was not there before, or is gone after. */
export function changesBetween(
  resource: AuditResource,
  before: object | null,
  after: object | null,
): AuditChange[] {
  return AUDIT_FIELDS[resource].flatMap((field) => {
    const [old, now] = [before, after].map((side) => textOf(side === null ? null : Reflect.get(side, field)));
    return old === now ? [] : [{ field, before: old ?? null, after: now ?? null }];
  });
}

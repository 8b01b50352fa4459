import type { UserView } from '@tallygate/contract/api/people';
import type { AdminApi } from '../client/admin-api.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from '../doctor/check.ts';
import { askHealth, type Listener, listenersOf } from '../doctor/listeners.ts';

const DAY_MS = 86_400_000;
const STALE_KEY_DAYS = 90;
const BACKUP_DAYS = 7;
const NAMED = 5;
/** Roles that can read or change what others rely on. */
const POWERFUL_ROLES = ['owner', 'admin'];
/** A page that reads answers of ours would have to be allowed by name. */
const FOREIGN_ORIGIN = 'https://foreign.invalid';

const daysSince = (at: string, now: Date): number => (now.getTime() - Date.parse(at)) / DAY_MS;

const names = (all: readonly string[]): string =>
  all.length > NAMED ? `${all.slice(0, NAMED).join(', ')} and ${all.length - NAMED} more` : all.join(', ');

/** Keys nobody uses are keys nobody misses when they are stolen. */
export async function checkStaleKeys(api: AdminApi, now: Date): Promise<CheckResult> {
  const id = 'stale_keys';
  const { keys } = await api.keys.list();
  const working = keys.filter(
    (key) => key.revokedAt === null && (key.expiresAt === null || daysSince(key.expiresAt, now) < 0),
  );
  const stale = working.filter((key) => daysSince(key.lastUsedAt ?? key.createdAt, now) > STALE_KEY_DAYS);
  if (stale.length === 0)
    return ok(id, `${working.length} keys work, each used within ${STALE_KEY_DAYS} days.`);
  const list = names(stale.map((key) => key.name));
  return fail(
    id,
    `Not used for ${STALE_KEY_DAYS} days, and still working: ${list}.`,
    'tallygate keys revoke NAME',
  );
}

export async function checkAdminKeys(api: AdminApi, now: Date): Promise<CheckResult> {
  const id = 'admin_keys';
  const { keys } = await api.keys.list();
  const endless = keys.filter(
    (key) => key.revokedAt === null && key.expiresAt === null && key.scopes.includes('admin'),
  );
  if (endless.length === 0) return ok(id, 'No key that may do everything works for ever.');
  const list = names(endless.map((key) => key.name));
  const at = new Date(now.getTime() + STALE_KEY_DAYS * DAY_MS).toISOString().slice(0, 10);
  return warn(
    id,
    `These keys may do everything and never expire: ${list}.`,
    `Replace them by keys that end: tallygate keys create --scopes admin --expires 90d (${at}).`,
  );
}

/** What is looked at of somebody. */
type Person = Pick<UserView, 'username' | 'role' | 'secondFactor' | 'disabledAt'>;

/** Whoever can change something signs in with more than a password. */
export async function checkSecondFactors(api: {
  users: { list(): Promise<{ users: readonly Person[] }> };
}): Promise<CheckResult> {
  const id = 'second_factors';
  const { users } = await api.users.list();
  const active = users.filter((user) => user.disabledAt === null);
  const without = active.filter((user) => !user.secondFactor);
  if (without.length === 0) {
    if (active.length === 0) return ok(id, 'Nobody can sign in yet.');
    return ok(id, `All ${active.length} people have a second factor.`);
  }
  const powerful = without.filter(({ role }) => POWERFUL_ROLES.includes(role));
  const fix = 'Set one up under My security in the dashboard; People demands it of whole roles.';
  const message = `${without.length} of ${active.length} people sign in with a password alone: ${names(without.map(({ username }) => username))}.`;
  return powerful.length > 0 ? fail(id, message, fix) : warn(id, message, fix);
}

/** The newest backup that succeeded, by the audit log. */
export async function checkBackupAge(api: AdminApi, now: Date): Promise<CheckResult> {
  const id = 'backup_age';
  const fix = 'tallygate backup FILE, and let a timer do it every day.';
  const { entries } = await api.audit.list({ action: 'POST /api/backup', outcome: 'ok', limit: '1' });
  const [last] = entries;
  if (last === undefined) {
    const [first] = (await api.audit.exportPage({ limit: '1' })).lines;
    const begun = first === undefined ? 0 : daysSince((JSON.parse(first) as { at: string }).at, now);
    const message = 'No backup was ever made.';
    return begun > BACKUP_DAYS ? fail(id, message, fix) : warn(id, message, fix);
  }
  const days = Math.floor(daysSince(last.at, now));
  if (days > BACKUP_DAYS) return fail(id, `The last backup is ${days} days old.`, fix);
  return ok(id, `The last backup was made at ${last.at}.`);
}

export async function checkAuditLog(api: AdminApi): Promise<CheckResult> {
  const id = 'audit_log';
  const { ok: whole, entries, problems } = await api.audit.verify({});
  if (whole) return ok(id, `${entries} entries of the audit log, each as it was written.`);
  const [first] = problems;
  return fail(
    id,
    `The audit log was tampered with or damaged: ${first?.message ?? 'it is not whole.'}`,
    'Keep the evidence (tallygate incident export FOLDER), then look at all of it: tallygate audit verify',
  );
}

export async function checkFindings(api: AdminApi): Promise<CheckResult> {
  const id = 'findings';
  const { security } = await api.incident.state();
  const [first] = security.findings;
  if (first === undefined) return ok(id, 'Nothing in the security counters asks for attention.');
  return warn(id, first.message, first.advice);
}

/** What the running server really sends: its policy, and that no foreign page may read its answers. */
export const checkHeaders = ({ settings, socket }: CheckContext): Promise<CheckResult[]> =>
  Promise.all(listenersOf(settings.config).map((listener) => judgeHeaders(listener, socket !== null)));

async function judgeHeaders(listener: Listener, running: boolean): Promise<CheckResult> {
  const id = `browser_policy${listener.suffix}`;
  if (!running || listener.port === 0)
    return ok(id, 'No server runs at a known port; the policy is built in.');
  const fix = 'Something in front of the server changes its headers, or another program has the port.';
  const answer = await askHealth(listener, { origin: FOREIGN_ORIGIN });
  if (answer === null) {
    const where = `${listener.host}:${listener.port}`;
    return warn(id, `Nothing answers at ${where}.`, 'Compare with: tallygate doctor');
  }
  const policy = String(answer.headers['content-security-policy'] ?? '');
  if (!policy.includes("default-src 'none'") || policy.includes('unsafe-'))
    return fail(id, 'The server does not send its content security policy.', fix);
  if (answer.headers['access-control-allow-origin'] !== undefined)
    return fail(id, 'The server lets pages of other sites read its answers (CORS).', fix);
  return ok(id, 'The policy for browsers is in force, and no other site may read answers.');
}

import type { CheckResult } from '@tallygate/contract/api/checkup';
import { fail, ok, warn } from './check.ts';

const DAY_MS = 86_400_000;
const STALE_KEY_DAYS = 90;
const BACKUP_DAYS = 7;
const NAMED = 5;
/** Roles that can read or change what others rely on. */
const POWERFUL_ROLES = ['owner', 'admin'];

/** What is asked about a key; times are ISO 8601. */
export interface KeyFacts {
  name: string;
  scopes: readonly string[];
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
}

export interface PersonFacts {
  username: string;
  role: string;
  secondFactor: boolean;
  disabledAt: string | null;
}

const daysSince = (at: string, now: Date): number => (now.getTime() - Date.parse(at)) / DAY_MS;

const names = (all: readonly string[]): string =>
  all.length > NAMED ? `${all.slice(0, NAMED).join(', ')} and ${all.length - NAMED} more` : all.join(', ');

/** Keys nobody uses are keys nobody misses when they are stolen. */
export function judgeStaleKeys(keys: readonly KeyFacts[], now: Date): CheckResult {
  const id = 'stale_keys';
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

export function judgeAdminKeys(keys: readonly KeyFacts[], now: Date): CheckResult {
  const id = 'admin_keys';
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

/** Whoever can change something signs in with more than a password. */
export function judgeSecondFactors(people: readonly PersonFacts[]): CheckResult {
  const id = 'second_factors';
  const active = people.filter((person) => person.disabledAt === null);
  const without = active.filter((person) => !person.secondFactor);
  if (without.length === 0) {
    if (active.length === 0) return ok(id, 'Nobody can sign in yet.');
    return ok(id, `All ${active.length} people have a second factor.`);
  }
  const powerful = without.filter(({ role }) => POWERFUL_ROLES.includes(role));
  const fix = 'Set one up under My security in the dashboard; People demands it of whole roles.';
  const message = `${without.length} of ${active.length} people sign in with a password alone: ${names(without.map(({ username }) => username))}.`;
  return powerful.length > 0 ? fail(id, message, fix) : warn(id, message, fix);
}

/** `lastAt`: the newest backup that succeeded, by the audit log; `begunAt`: the log's first entry. */
export function judgeBackupAge(
  { lastAt, begunAt }: { lastAt: string | null; begunAt: string | null },
  now: Date,
): CheckResult {
  const id = 'backup_age';
  const fix = 'tallygate backup FILE, and let a timer do it every day.';
  if (lastAt === null) {
    const begun = begunAt === null ? 0 : daysSince(begunAt, now);
    const message = 'No backup was ever made.';
    return begun > BACKUP_DAYS ? fail(id, message, fix) : warn(id, message, fix);
  }
  const days = Math.floor(daysSince(lastAt, now));
  if (days > BACKUP_DAYS) return fail(id, `The last backup is ${days} days old.`, fix);
  return ok(id, `The last backup was made at ${lastAt}.`);
}

export function judgeAuditLog(found: {
  entries: number;
  problems: readonly { message: string }[];
}): CheckResult {
  const id = 'audit_log';
  const [first] = found.problems;
  if (first === undefined)
    return ok(id, `${found.entries} entries of the audit log, each as it was written.`);
  return fail(
    id,
    `The audit log was tampered with or damaged: ${first.message}`,
    'Keep the evidence (tallygate incident export FOLDER), then look at all of it: tallygate audit verify',
  );
}

export function judgeFindings(findings: readonly { message: string; advice: string }[]): CheckResult {
  const id = 'findings';
  const [first] = findings;
  if (first === undefined) return ok(id, 'Nothing in the security counters asks for attention.');
  return warn(id, first.message, first.advice);
}

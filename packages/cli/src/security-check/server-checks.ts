import type { CheckResult } from '@tallygate/contract/api/checkup';
import { fail, ok, warn } from '@tallygate/server/checkup/check';
import { type Listener, listenersOf } from '@tallygate/server/checkup/listeners';
import {
  judgeAdminKeys,
  judgeAuditLog,
  judgeBackupAge,
  judgeFindings,
  judgeSecondFactors,
  judgeStaleKeys,
} from '@tallygate/server/checkup/state-checks';
import type { AdminApi } from '../client/admin-api.ts';
import { askHealth } from '../doctor/ask-health.ts';
import type { CliCheckContext } from '../doctor/check-context.ts';

/** A page that reads answers of ours would have to be allowed by name. */
const FOREIGN_ORIGIN = 'https://foreign.invalid';

export const checkStaleKeys = async (api: AdminApi, now: Date): Promise<CheckResult> =>
  judgeStaleKeys((await api.keys.list()).keys, now);

export const checkAdminKeys = async (api: AdminApi, now: Date): Promise<CheckResult> =>
  judgeAdminKeys((await api.keys.list()).keys, now);

export const checkSecondFactors = async (api: {
  users: { list(): Promise<{ users: Parameters<typeof judgeSecondFactors>[0] }> };
}): Promise<CheckResult> => judgeSecondFactors((await api.users.list()).users);

/** The newest backup that succeeded, by the audit log. */
export async function checkBackupAge(api: AdminApi, now: Date): Promise<CheckResult> {
  const { entries } = await api.audit.list({ action: 'POST /api/backup', outcome: 'ok', limit: '1' });
  const [first] = (await api.audit.exportPage({ limit: '1' })).lines;
  const begunAt = first === undefined ? null : (JSON.parse(first) as { at: string }).at;
  return judgeBackupAge({ lastAt: entries[0]?.at ?? null, begunAt }, now);
}

export const checkAuditLog = async (api: AdminApi): Promise<CheckResult> =>
  judgeAuditLog(await api.audit.verify({}));

export const checkFindings = async (api: AdminApi): Promise<CheckResult> =>
  judgeFindings((await api.incident.state()).security.findings);

/** What the running server really sends: its policy, and that no foreign page may read its answers. */
export const checkHeaders = ({ settings, socket }: CliCheckContext): Promise<CheckResult[]> =>
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

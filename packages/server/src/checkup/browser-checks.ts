import type { CheckResult } from '@tallygate/contract/api/checkup';
import { askHealth } from './ask-health.ts';
import { type CheckContext, fail, ok, warn, withCommand } from './check.ts';
import type { Listener } from './listeners.ts';

/** A page that reads answers of ours would have to be allowed by name. */
const FOREIGN_ORIGIN = 'https://foreign.invalid';

/** What the running server really sends: its policy, and that no foreign page may read its answers. */
export async function checkBrowserPolicy({ listening }: CheckContext): Promise<CheckResult[]> {
  const known = (listening ?? []).filter(({ port }) => port !== 0);
  if (known.length === 0)
    return [ok('browser_policy', 'No server runs at a known port; the policy is built in.')];
  return Promise.all(known.map(judgeHeaders));
}

async function judgeHeaders(listener: Listener): Promise<CheckResult> {
  const id = `browser_policy${listener.suffix}`;
  const fix = 'Something in front of the server changes its headers, or another program has the port.';
  const answer = await askHealth(listener, { origin: FOREIGN_ORIGIN });
  if (answer === null) {
    const where = `${listener.host}:${listener.port}`;
    return withCommand(warn(id, `Nothing answers at ${where}.`, 'Compare with: '), 'tallygate doctor');
  }
  const policy = String(answer.headers['content-security-policy'] ?? '');
  if (!policy.includes("default-src 'none'") || policy.includes('unsafe-'))
    return fail(id, 'The server does not send its content security policy.', fix);
  if (answer.headers['access-control-allow-origin'] !== undefined)
    return fail(id, 'The server lets pages of other sites read its answers (CORS).', fix);
  return ok(id, 'The policy for browsers is in force, and no other site may read answers.');
}

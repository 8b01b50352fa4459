import type { SecurityFinding } from '@tallygate/contract/api/security';
import type { KindCounts } from './security-counters.ts';
import type { NamedView, SecurityView } from './security-monitor.ts';

/** Tokens of the last 24 hours against the daily average of the seven days before, for the whole and by key. */
export interface UsagePace {
  /** Null for everything together. */
  keyName: string | null;
  lastDayTokens: number;
  dailyAverageTokens: number;
}

/** NX-10: more than this many from one address, or under one host name, in an hour. */
const MANY_FAILURES = 10;
const VERY_MANY_FAILURES = 100;
/** NX-10: more than twice the daily average. */
const SPIKE_FACTOR = 2;
/** Below this a doubling is noise: one long conversation. */
const SPIKE_FLOOR_TOKENS = 10_000;

const failures = (counts: KindCounts): number => counts.login_failed + counts.unauthorized;

const severityOf = (count: number): SecurityFinding['severity'] =>
  count > VERY_MANY_FAILURES ? 'critical' : 'warning';

function failureFindings({ addresses, hosts }: SecurityView): SecurityFinding[] {
  const many = (row: NamedView): boolean => failures(row.lastHour) > MANY_FAILURES;
  const byAddress = addresses.filter(many).map((row): SecurityFinding => {
    const { login_failed: signIns, unauthorized } = row.lastHour;
    return {
      rule: 'failed_by_address',
      about: row.name,
      severity: severityOf(signIns + unauthorized),
      message: `${row.name} failed to sign in ${signIns} times and sent ${unauthorized} requests with a wrong or missing key within an hour.`,
      advice: 'If it is not one of your own machines, block the address in front of the gate.',
    };
  });
  // Many addresses at once show under the name they all asked for; one address is said above already.
  if (byAddress.length > 0) return byAddress;
  return hosts.filter(many).map((row) => ({
    rule: 'failed_by_host',
    about: row.name,
    severity: severityOf(failures(row.lastHour)),
    message: `${failures(row.lastHour)} sign-ins and requests failed at ${row.name} within an hour, from several addresses.`,
    advice:
      'Somebody may be guessing from many machines. Check that every key and password is long and fresh.',
  }));
}

function keyFindings({ keyPrefixes }: SecurityView): SecurityFinding[] {
  return keyPrefixes
    .filter((row) => row.lastHour.unauthorized > MANY_FAILURES)
    .map((row) => ({
      rule: 'refused_key',
      about: row.name,
      severity: 'warning',
      message: `A key that begins with ${row.name} was refused ${row.lastHour.unauthorized} times within an hour.`,
      advice:
        'It was revoked, has expired, or never was one. Find what still uses it, and give it a new key.',
    }));
}

const KIND_RULES = [
  {
    kind: 'csrf_refused',
    above: MANY_FAILURES,
    message: (count: number) =>
      `${count} changes were refused because they did not come from the dashboard’s own page.`,
    advice:
      'A page elsewhere may be trying to act in the name of a signed-in person. Ask who saw errors today.',
  },
  {
    kind: 'egress_blocked',
    above: 0,
    message: (count: number) => `${count} connections to an address that is not public were blocked.`,
    advice:
      'Check the base URLs of the accounts: one of them leads, or was made to lead, into your own network.',
  },
  {
    kind: 'csp_report',
    above: 0,
    message: (count: number) =>
      `A browser reported ${count} times that the dashboard tried to load what its policy forbids.`,
    advice:
      'Usually a browser extension. If not, something puts foreign code into the page: look at the reports below.',
  },
  {
    kind: 'new_key_address',
    above: 0,
    message: (count: number) => `Keys were used from ${count} addresses they never came from before.`,
    advice:
      'Look at the entries "key.new_address" of the audit log, and revoke a key whose new place you do not know.',
  },
] as const;

function kindFindings(view: SecurityView): SecurityFinding[] {
  return KIND_RULES.flatMap(({ kind, above, message, advice }) => {
    const count = view.hours.reduce((sum, hour) => sum + hour.counts[kind], 0);
    if (count <= above) return [];
    return [{ rule: kind, about: null, severity: 'warning' as const, message: message(count), advice }];
  });
}

function spikeFindings(paces: readonly UsagePace[]): SecurityFinding[] {
  return paces
    .filter(
      ({ lastDayTokens, dailyAverageTokens }) =>
        dailyAverageTokens > 0 &&
        lastDayTokens > SPIKE_FLOOR_TOKENS &&
        lastDayTokens > SPIKE_FACTOR * dailyAverageTokens,
    )
    .map(({ keyName, lastDayTokens, dailyAverageTokens }) => {
      const factor = (lastDayTokens / dailyAverageTokens).toFixed(1);
      const who = keyName === null ? 'All keys together' : `The key “${keyName}”`;
      return {
        rule: 'usage_spike',
        about: keyName,
        severity: 'warning',
        message: `${who} used ${factor} times as many tokens in the last 24 hours as on an average day of the week before.`,
        advice:
          'If nobody expected that, look at the requests of the last day; revoke the key when they are not yours.',
      };
    });
}

/** What an operator should look at, in plain words, the most pressing first (NX-10). */
export function findingsOf(view: SecurityView, paces: readonly UsagePace[]): SecurityFinding[] {
  const all = [
    ...failureFindings(view),
    ...keyFindings(view),
    ...kindFindings(view),
    ...spikeFindings(paces),
  ];
  return all.sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
}

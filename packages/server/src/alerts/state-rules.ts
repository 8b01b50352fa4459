import type { AlertAccountCondition, AlertCondition } from '@tallygate/contract/api/alerts';
import type { SecurityFinding } from '@tallygate/contract/api/security';
import { ACCOUNTS_PAGE, SECURITY_PAGE } from './pages.ts';
import type { Reading } from './reading.ts';
import type { AccountReading } from './sources.ts';

const ACCOUNT_WORDS: Readonly<Record<AlertAccountCondition, { title: string; advice: string }>> = {
  needs_reauth: {
    title: 'needs a new sign-in',
    advice: 'Its tokens can no longer be refreshed. Somebody has to sign in again under Accounts.',
  },
  refused: {
    title: 'was refused by its provider',
    advice: 'The provider does not take its credential any more. Put a new one in under Accounts.',
  },
  resting: {
    title: 'rests after failures',
    advice: 'It failed several times in a row; other accounts take its traffic until it works again.',
  },
  limited: {
    title: 'reached a limit of its provider',
    advice: 'Other accounts take its traffic until the limit is over.',
  },
};

/** Accounts that are in one of the watched conditions. */
export function readAccounts(
  { conditions }: Extract<AlertCondition, { kind: 'account' }>,
  accounts: readonly AccountReading[],
): Reading[] {
  return accounts.map(({ id, name, condition }): Reading => {
    const firing = condition !== null && conditions.includes(condition);
    const words = firing ? ACCOUNT_WORDS[condition] : null;
    return {
      subject: `account:${id}`,
      environment: null,
      firing,
      sinceMs: null,
      title: `Account ${name} ${words?.title ?? 'serves again'}`,
      text: words?.advice ?? 'Nothing that this rule watches keeps it from serving.',
      facts: [{ label: 'Account', value: name }],
      path: ACCOUNTS_PAGE,
    };
  });
}

/** What the security panel finds, as alerts (NX-10). What is not found any more has no reading, which ends it. */
export function readSecurity(
  { minSeverity }: Extract<AlertCondition, { kind: 'security' }>,
  findings: readonly SecurityFinding[],
): Reading[] {
  return findings
    .filter(({ severity }) => minSeverity === 'warning' || severity === 'critical')
    .map(
      ({ rule, about, severity, message, advice }): Reading => ({
        subject: `${rule}:${about ?? ''}`.slice(0, 300),
        environment: null,
        firing: true,
        sinceMs: null,
        title: message,
        text: `${message} ${advice}`,
        facts: [
          { label: 'Finding', value: severity },
          ...(about === null ? [] : [{ label: 'About', value: about }]),
        ],
        path: SECURITY_PAGE,
      }),
    );
}

import { Anchor } from '@mantine/core';
import type { AccountView } from '@tallygate/contract/api/accounts';
import { OAUTH_RETURN_PAGE } from '@tallygate/contract/api/oauth-paths';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { EntryCard } from '../../ui/entry-card.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { tellSignedIn } from './sign-in-channel.ts';

const PROBLEMS: Readonly<Record<string, string>> = {
  access_denied: 'You did not agree there, so nothing was changed here.',
  incomplete: 'What the provider sent back is not complete. Begin again.',
};

/** Where a provider's page leads back to: completes the sign-in of an upstream account with the code it gave (CF-03). */
export function SignedInScreen() {
  useTitle('Sign-in of an account');
  const [sent] = useState(() => new URLSearchParams(window.location.hash.slice(1)));
  useEffect(() => {
    // They are in memory now; out of the address bar, so that no history keeps them.
    window.history.replaceState(window.history.state, '', OAUTH_RETURN_PAGE);
  }, []);
  const [session, code, state] = ['session', 'code', 'state'].map((name) => sent.get(name));
  return (
    <EntryCard title="Sign-in of an account" lead="Your provider brought you back to the gate.">
      {session && code && state ? (
        <Complete sessionId={session} code={code} state={state} />
      ) : (
        <Refused problem={sent.get('problem') ?? 'incomplete'} />
      )}
    </EntryCard>
  );
}

function Refused({ problem }: { problem: string }) {
  return (
    <>
      <p role="alert">{PROBLEMS[problem] ?? `The provider refused the sign-in (${problem}).`}</p>
      <Back />
    </>
  );
}

function Complete({ sessionId, code, state }: { sessionId: string; code: string; state: string }) {
  const api = useApi();
  // A query and not a mutation: it is done once however often the page is drawn, and the session works only once.
  const done = useQuery({
    queryKey: ['signed-in', sessionId],
    queryFn: async () => {
      const account = await api.send<AccountView>('POST', '/api/oauth/complete', { sessionId, code, state });
      tellSignedIn({ sessionId, account });
      return account;
    },
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  if (done.isPending) return <SkeletonLines lines={2} />;
  if (done.isError) {
    return (
      <>
        <ErrorState error={done.error} title="The account is not signed in" />
        <Back />
      </>
    );
  }
  return (
    <>
      <p role="status">{done.data.name} is signed in. You can close this tab.</p>
      <Back />
    </>
  );
}

function Back() {
  return (
    <p>
      <Anchor component={Link} to="/accounts">
        Go to the accounts
      </Anchor>
    </p>
  );
}

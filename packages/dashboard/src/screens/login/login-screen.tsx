import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Me } from '@tallygate/contract/api/auth';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { setupQuery } from '../../app/api/queries.ts';
import { EntryCard } from '../../ui/entry-card.tsx';
import { FormError } from '../../ui/error-state.tsx';
import classes from '../../ui/form.module.css';
import { useTitle } from '../../ui/use-title.ts';
import { PasskeyButton } from './passkey-button.tsx';
import { safeReturnPath } from './return-path.ts';
import { SsoButton } from './sso-button.tsx';
import { SsoProblem } from './sso-problem.tsx';

export function LoginScreen() {
  const search = useSearch({ from: '/login' });
  const [owed, setOwed] = useState<Me['owed']>(() => parseOwed(search.owed));
  return owed.length > 0 ? (
    <SecondStep owed={owed} onBack={() => setOwed([])} />
  ) : (
    <FirstStep onOwed={setOwed} />
  );
}

/** What is owed after the identity provider, as the address says it. */
function parseOwed(text = ''): Me['owed'] {
  return (['app', 'passkey', 'recovery'] as const).filter((kind) => text.split(',').includes(kind));
}

/** Signed in: everything known before belonged to nobody or somebody else. */
function useEntered(): () => void {
  const api = useApi();
  const router = useRouter();
  const queryClient = useQueryClient();
  const search = useSearch({ from: '/login' });
  return () => {
    api.forgetCsrf();
    queryClient.clear();
    router.history.push(safeReturnPath(search.return));
  };
}

const CODE_LEAD = {
  app: 'Type the six digits that your authenticator app shows, or one of your recovery codes.',
  passkey: 'Show your passkey, or type one of your recovery codes.',
  both: 'Show your passkey, or type the six digits of your authenticator app or one of your recovery codes.',
};

function codeLead(owed: Me['owed']): string {
  if (!owed.includes('passkey')) return CODE_LEAD.app;
  return owed.includes('app') ? CODE_LEAD.both : CODE_LEAD.passkey;
}

function SecondStep({ owed, onBack }: { owed: Me['owed']; onBack: () => void }) {
  useTitle('Sign in');
  const api = useApi();
  const entered = useEntered();
  const form = useForm({ initialValues: { code: '' } });
  const complete = useMutation({
    mutationFn: (values: typeof form.values) => api.send('POST', '/api/auth/second-factor', values),
    onSuccess: entered,
  });
  return (
    <EntryCard title="The second step" lead={codeLead(owed)}>
      <form className={classes.form} onSubmit={form.onSubmit((values) => complete.mutate(values))}>
        <TextInput
          label="Code"
          autoComplete="one-time-code"
          inputMode="text"
          spellCheck={false}
          required
          autoFocus
          {...form.getInputProps('code')}
        />
        <FormError error={complete.error} />
        <Button type="submit" fullWidth loading={complete.isPending}>
          Continue
        </Button>
        {owed.includes('passkey') && <PasskeyButton label="Show a passkey" onEntered={entered} />}
        <Button variant="default" fullWidth onClick={onBack}>
          Back to the password
        </Button>
      </form>
    </EntryCard>
  );
}

function FirstStep({ onOwed }: { onOwed: (owed: Me['owed']) => void }) {
  useTitle('Sign in');
  const api = useApi();
  const entered = useEntered();
  const search = useSearch({ from: '/login' });
  const setup = useQuery(setupQuery(api));
  const form = useForm({ initialValues: { username: '', password: '' } });
  const login = useMutation({
    mutationFn: (values: typeof form.values) => api.send<Me>('POST', '/api/auth/login', values),
    onSuccess: (me) => {
      if (me.stage !== 'second_factor') return entered();
      api.forgetCsrf();
      onOwed(me.owed);
    },
  });
  if (setup.data?.needsSetup) return <Navigate to="/setup" replace />;
  return (
    <EntryCard
      title="Sign in"
      lead={
        search.return === undefined ? 'To the ledger of your LLM traffic.' : 'You return to where you were.'
      }
      foot={setup.data && `Version ${setup.data.version}`}
    >
      <SsoProblem code={search.problem} />
      <form className={classes.form} onSubmit={form.onSubmit((values) => login.mutate(values))}>
        <TextInput
          label="User name"
          autoComplete="username"
          required
          autoFocus
          {...form.getInputProps('username')}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          {...form.getInputProps('password')}
        />
        <FormError error={login.error} />
        <Button type="submit" fullWidth loading={login.isPending}>
          Sign in
        </Button>
        <PasskeyButton label="Sign in with a passkey" onEntered={entered} />
        {setup.data?.sso && <SsoButton name={setup.data.sso.name} returnPath={search.return} />}
      </form>
    </EntryCard>
  );
}

import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { setupQuery } from '../../app/api/queries.ts';
import { codeFromHash } from '../../app/url/code-from-hash.ts';
import { EntryCard } from '../../ui/entry-card.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import classes from '../../ui/form.module.css';
import { passwordRules } from '../../ui/password-rule-list.ts';
import { PasswordRules } from '../../ui/password-rules.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';

/** First run: whoever holds the printed link becomes the owner. */
export function SetupScreen() {
  useTitle('Set up');
  const status = useQuery(setupQuery(useApi()));
  const foot = status.data && `Version ${status.data.version} · data in ${status.data.db.kind}`;
  if (status.data && !status.data.needsSetup) {
    return (
      <EntryCard title="Set-up is complete" lead="This installation already has an owner." foot={foot}>
        <Button component={Link} to="/login" fullWidth>
          Go to sign-in
        </Button>
      </EntryCard>
    );
  }
  return (
    <EntryCard
      title="Make it yours"
      lead="You become the owner of this installation. Nothing leaves this machine."
      foot={foot}
    >
      {status.isPending && <SkeletonLines lines={4} />}
      {status.isError && <ErrorState error={status.error} onRetry={() => void status.refetch()} />}
      {status.data && <SetupForm />}
    </EntryCard>
  );
}

function SetupForm() {
  const api = useApi();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [linkCode] = useState(() => codeFromHash(window.location.hash));
  const form = useForm({ initialValues: { code: linkCode, username: 'owner', password: '' } });
  useEffect(() => {
    // The code is in memory now; out of the address bar, so that no screenshot or history keeps it.
    if (linkCode !== '') window.history.replaceState(window.history.state, '', '/setup');
  }, [linkCode]);
  const setup = useMutation({
    mutationFn: (values: typeof form.values) => api.send('POST', '/api/setup', values),
    onSuccess: async () => {
      api.forgetCsrf();
      queryClient.clear();
      await navigate({ to: '/' });
    },
  });
  const rules = passwordRules(form.values.password, form.values.username);
  const ready = rules.every((rule) => rule.met) && form.values.code.trim() !== '';
  return (
    <form className={classes.form} onSubmit={form.onSubmit((values) => setup.mutate(values))}>
      {linkCode === '' && (
        <TextInput
          label="Set-up code"
          description="The terminal that started the server printed a link with it."
          autoComplete="one-time-code"
          required
          {...form.getInputProps('code')}
        />
      )}
      <TextInput label="User name" autoComplete="username" required {...form.getInputProps('username')} />
      <PasswordInput
        label="Password"
        autoComplete="new-password"
        required
        aria-describedby="password-rules"
        data-autofocus
        {...form.getInputProps('password')}
      />
      <PasswordRules id="password-rules" rules={rules} />
      <FormError error={setup.error} />
      <Button type="submit" fullWidth loading={setup.isPending} disabled={!ready}>
        Create the owner
      </Button>
    </form>
  );
}

import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Me } from '@tallygate/contract/api/auth';
import type { EntryView } from '@tallygate/contract/api/people';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { codeFromHash } from '../../app/url/code-from-hash.ts';
import { EntryCard } from '../../ui/entry-card.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import classes from '../../ui/form.module.css';
import { passwordRules } from '../../ui/password-rule-list.ts';
import { PasswordRules } from '../../ui/password-rules.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';

/** Where one-time links lead: an invitation, or a new password. */
export function JoinScreen() {
  useTitle('Welcome');
  const api = useApi();
  const [code] = useState(() => codeFromHash(window.location.hash));
  useEffect(() => {
    // The code is in memory now; out of the address bar, so that no screenshot or history keeps it.
    if (code !== '') window.history.replaceState(window.history.state, '', '/join');
  }, [code]);
  const entry = useQuery({
    queryKey: ['entry', code],
    queryFn: () => api.send<EntryView>('POST', '/api/entry/look', { code: code === '' ? '-' : code }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (entry.data?.purpose === 'new_password') {
    return (
      <EntryCard title="A new password" lead={`For ${entry.data.username ?? ''}. The old one ends with it.`}>
        <AcceptForm code={code} username={entry.data.username} />
      </EntryCard>
    );
  }
  return (
    <EntryCard
      title="You are invited"
      lead={
        entry.data
          ? `You join as ${entry.data.role}. Choose how you sign in.`
          : 'To this ledger of LLM traffic.'
      }
    >
      {entry.isPending && <SkeletonLines lines={4} />}
      {entry.isError && <ErrorState error={entry.error} title="This link does not work" />}
      {entry.data && <AcceptForm code={code} username={null} />}
    </EntryCard>
  );
}

function AcceptForm({ code, username }: { code: string; username: string | null }) {
  const api = useApi();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const form = useForm({ initialValues: { username: username ?? '', password: '' } });
  const accept = useMutation({
    mutationFn: ({ password, ...chosen }: typeof form.values) =>
      api.send<Me>('POST', '/api/entry/accept', { code, password, ...(username === null ? chosen : {}) }),
    onSuccess: async (me) => {
      api.forgetCsrf();
      queryClient.clear();
      await navigate(me.stage === 'second_factor' ? { to: '/login', search: {} } : { to: '/' });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const rules = passwordRules(form.values.password, form.values.username);
  const ready = rules.every((rule) => rule.met) && form.values.username.trim() !== '';
  return (
    <form className={classes.form} onSubmit={form.onSubmit((values) => accept.mutate(values))}>
      <TextInput
        label="User name"
        autoComplete="username"
        required
        readOnly={username !== null}
        {...form.getInputProps('username')}
      />
      <PasswordInput
        label="Password"
        autoComplete="new-password"
        required
        aria-describedby="join-rules"
        {...form.getInputProps('password')}
      />
      <PasswordRules id="join-rules" rules={rules} />
      <FormError error={accept.error} />
      <Button type="submit" fullWidth loading={accept.isPending} disabled={!ready}>
        {username === null ? 'Join' : 'Set the password'}
      </Button>
    </form>
  );
}

import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, useRouter, useSearch } from '@tanstack/react-router';
import { useApi } from '../../app/api/api-context.tsx';
import { setupQuery } from '../../app/api/queries.ts';
import { EntryCard } from '../../ui/entry-card.tsx';
import { FormError } from '../../ui/error-state.tsx';
import classes from '../../ui/form.module.css';
import { useTitle } from '../../ui/use-title.ts';
import { safeReturnPath } from './return-path.ts';

export function LoginScreen() {
  useTitle('Sign in');
  const api = useApi();
  const router = useRouter();
  const queryClient = useQueryClient();
  const search = useSearch({ from: '/login' });
  const setup = useQuery(setupQuery(api));
  const form = useForm({ initialValues: { username: '', password: '' } });
  const login = useMutation({
    mutationFn: (values: typeof form.values) => api.send('POST', '/api/auth/login', values),
    onSuccess: () => {
      api.forgetCsrf();
      queryClient.clear();
      router.history.push(safeReturnPath(search.return));
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
      </form>
    </EntryCard>
  );
}

import { Button, PasswordInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { meQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { passwordRules } from '../../ui/password-rule-list.ts';
import { PasswordRules } from '../../ui/password-rules.tsx';
import { Section, SectionBody } from '../../ui/section.tsx';
import classes from './own-security.module.css';

/** One's own password. Nothing typed is lost when the server refuses. */
export function ChangePassword() {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const username = useQuery(meQuery(api)).data?.user.username ?? '';
  const form = useForm({ initialValues: { current: '', password: '' } });
  const change = useMutation({
    mutationFn: (values: typeof form.values) => api.send('POST', '/api/auth/password', values),
    onSuccess: async () => {
      form.reset();
      announce('Password changed. Your other sessions have ended.');
      await queryClient.invalidateQueries({ queryKey: ['own'] });
    },
  });
  const rules = passwordRules(form.values.password, username);
  const ready = form.values.current !== '' && rules.every((rule) => rule.met);
  return (
    <Section title="Password">
      <SectionBody>
        <form className={classes.form} onSubmit={form.onSubmit((values) => change.mutate(values))}>
          <PasswordInput
            label="Current password"
            autoComplete="current-password"
            required
            {...form.getInputProps('current')}
          />
          <PasswordInput
            label="New password"
            autoComplete="new-password"
            required
            aria-describedby="new-password-rules"
            {...form.getInputProps('password')}
          />
          <PasswordRules id="new-password-rules" rules={rules} />
          <FormError error={change.error} />
          <div className={classes.row}>
            <Button type="submit" loading={change.isPending} disabled={!ready}>
              Change password
            </Button>
          </div>
        </form>
      </SectionBody>
    </Section>
  );
}

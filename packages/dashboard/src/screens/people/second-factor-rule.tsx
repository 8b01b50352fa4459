import { Button, Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { rolesQuery, secondFactorRuleQuery } from '../../app/api/queries.ts';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { Section, SectionBody } from '../../ui/section.tsx';
import classes from './roles.module.css';
import { usePeopleChange } from './use-people-change.ts';

/** Which roles need a second factor. Nothing is saved before the button is pressed. */
export function SecondFactorRule() {
  const api = useApi();
  const rule = useQuery(secondFactorRuleQuery(api));
  const roles = useQuery(rolesQuery(api)).data?.roles ?? [];
  const [edited, setEdited] = useState<string[] | null>(null);
  const save = usePeopleChange(
    (chosen: string[]) => api.send('PATCH', '/api/security/second-factor', { roles: chosen }),
    { done: 'Saved. It counts from now on.', onDone: () => setEdited(null) },
  );
  const chosen = edited ?? rule.data?.roles ?? [];
  return (
    <Section title="Who needs a second factor">
      {rule.isError && <ErrorState error={rule.error} onRetry={() => void rule.refetch()} />}
      {rule.data && (
        <SectionBody>
          <p>
            Whoever has one of these roles and no second factor is led to set one up, and can do nothing else
            until then. That includes you.
          </p>
          <Checkbox.Group aria-label="Roles that need a second factor" value={chosen} onChange={setEdited}>
            <div className={classes.choices}>
              {roles.map((role) => (
                <Checkbox key={role.name} value={role.name} label={role.name} size="sm" />
              ))}
            </div>
          </Checkbox.Group>
          <FormError error={save.error} />
          <div className={form.row}>
            <Button disabled={edited === null} loading={save.isPending} onClick={() => save.mutate(chosen)}>
              Save
            </Button>
          </div>
        </SectionBody>
      )}
    </Section>
  );
}

import { Button } from '@mantine/core';
import type { AccountTest, AccountView } from '@tallygate/contract/api/accounts';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { TestResult } from '../accounts/account-row.tsx';
import classes from './first-steps.module.css';

/** The account that was added, and whether it answers. */
export function TestAccount({ account }: { account: AccountView }) {
  const api = useApi();
  const test = useMutation({
    mutationFn: () => api.send<AccountTest>('POST', `/api/accounts/${encodeURIComponent(account.id)}/test`),
  });
  return (
    <>
      <p className={classes.text}>
        {account.name} <span className={classes.dim}>{account.baseUrl}</span>{' '}
        <Button size="compact-xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          Test it
        </Button>
      </p>
      {test.data && <TestResult result={test.data} />}
      {test.isError && <FormError error={test.error} />}
    </>
  );
}

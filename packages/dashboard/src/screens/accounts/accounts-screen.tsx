import { Button, Modal } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { AccountView } from '@tallygate/contract/api/accounts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { accountsQuery, providersQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { UpstreamTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AccountDetails } from './account-details.tsx';
import { AccountRow } from './account-row.tsx';
import classes from './accounts-screen.module.css';
import { AddAccount } from './add-account.tsx';
import { EditAccount } from './edit-account.tsx';
import { SignInDialog } from './sign-in-dialog.tsx';

type Open =
  | { kind: 'add' }
  | { kind: 'details' | 'edit' | 'sign-in' | 'remove'; account: AccountView }
  | null;

export function AccountsScreen() {
  useTitle('Accounts');
  const accounts = useQuery(accountsQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const announce = useAnnounce();
  const close = (): void => setOpen(null);
  const all = accounts.data?.accounts ?? [];
  const add = (
    <Button
      size="sm"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setOpen({ kind: 'add' })}
    >
      Add account
    </Button>
  );
  return (
    <>
      <PageHeader title="Accounts">{add}</PageHeader>
      <UpstreamTabs />
      <div className={panel.panel}>
        {accounts.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the accounts</span>
            <SkeletonLines lines={5} />
          </div>
        )}
        {accounts.isError && !accounts.data && (
          <ErrorState error={accounts.error} onRetry={() => void accounts.refetch()} />
        )}
        {accounts.data && all.length === 0 && (
          <EmptyState
            title="No accounts yet"
            text="An account is a key of an upstream: Anthropic, OpenAI, Gemini, or any service that speaks the same protocol. The gate puts it in place of the client's own key, so clients never hold it."
            action={add}
          />
        )}
        {all.length > 0 && (
          <AccountTable
            accounts={all}
            onDetails={(account) => setOpen({ kind: 'details', account })}
            onEdit={(account) => setOpen({ kind: 'edit', account })}
            onSignIn={(account) => setOpen({ kind: 'sign-in', account })}
            onRemove={(account) => setOpen({ kind: 'remove', account })}
          />
        )}
      </div>
      <Modal opened={open?.kind === 'add'} onClose={close} title="Add account" size={560}>
        <AddAccount
          onCreated={(account) => {
            close();
            announce(`${account.name} added. Test it to see whether it answers.`);
          }}
        />
      </Modal>
      {open?.kind === 'details' && <AccountDetails account={open.account} onClose={close} />}
      {open?.kind === 'edit' && <EditAccount account={open.account} onClose={close} />}
      {open?.kind === 'sign-in' && (
        <SignInDialog
          title={`Sign ${open.account.name} in again`}
          subject={{ accountId: open.account.id }}
          onClose={close}
          onDone={(account) => {
            close();
            announce(`${account.name} is signed in.`);
          }}
        />
      )}
      {open?.kind === 'remove' && <RemoveAccount account={open.account} onClose={close} />}
    </>
  );
}

function AccountTable(props: {
  accounts: AccountView[];
  onDetails: (account: AccountView) => void;
  onEdit: (account: AccountView) => void;
  onSignIn: (account: AccountView) => void;
  onRemove: (account: AccountView) => void;
}) {
  const providers = useQuery(providersQuery(useApi())).data?.providers ?? [];
  const nameOf = (account: AccountView): string => {
    const provider = providers.find((item) => item.id === account.provider);
    return (
      provider?.presets.find((item) => item.id === account.preset)?.name ?? provider?.name ?? account.provider
    );
  };
  return (
    <ListTable columns={['Name', 'Service', 'Key', 'Models', 'Priority', 'Last used']} acts>
      {props.accounts.map((account) => (
        <AccountRow
          key={account.id}
          account={account}
          providerName={nameOf(account)}
          onDetails={() => props.onDetails(account)}
          onEdit={() => props.onEdit(account)}
          onSignIn={() => props.onSignIn(account)}
          onRemove={() => props.onRemove(account)}
        />
      ))}
    </ListTable>
  );
}

function RemoveAccount({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/accounts/${encodeURIComponent(account.id)}`),
    onSuccess: async () => {
      onClose();
      announce('Account removed. Its credential is gone; what it served stays in the ledger.');
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  return (
    <ConfirmByName
      title="Remove account"
      name={account.name}
      action="Remove account"
      consequences={
        <p>
          Its credential is deleted and cannot be brought back. Requests that only this account could serve
          fail from now on. What it served stays in the ledger. To stop it for a while, pause it instead.
        </p>
      }
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}

import { Button, Menu } from '@mantine/core';
import {
  IconActivity,
  IconCircleCheck,
  IconCircleX,
  IconDots,
  IconListSearch,
  IconLogin2,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import type { AccountTest, AccountView } from '@tallygate/contract/api/accounts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi } from '../../app/api/api-context.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { formatDuration } from '../../ui/format/duration.ts';
import list from '../../ui/list-table.module.css';
import classes from './account-row.module.css';
import { AccountWindows, hasWindows } from './account-windows.tsx';

const CONDITIONS: Readonly<Record<Exclude<AccountView['condition'], 'ready'>, string>> = {
  paused: 'paused',
  needs_reauth: 'sign in again',
  limited: 'limited',
  refused: 'key refused',
  resting: 'resting',
  warned: 'near a limit',
};

interface Props {
  account: AccountView;
  providerName: string;
  onDetails: () => void;
  onEdit: () => void;
  onSignIn: () => void;
  onRemove: () => void;
}

/** One upstream: where it is, what it serves, whether it is in use, and whether it answers. */
export function AccountRow({ account, providerName, onDetails, onEdit, onSignIn, onRemove }: Props) {
  const api = useApi();
  const test = useMutation({
    mutationFn: () => api.send<AccountTest>('POST', `/api/accounts/${encodeURIComponent(account.id)}/test`),
  });
  return (
    <>
      <tr data-muted={account.paused}>
        <th scope="row" className={list.name}>
          <span>
            {account.name}
            {account.condition !== 'ready' && (
              <span className={list.state}>{CONDITIONS[account.condition]}</span>
            )}
          </span>
        </th>
        <td data-label="Service">
          <span className={classes.stack}>
            {providerName}
            <span className={classes.url}>{account.baseUrl}</span>
          </span>
        </td>
        <td data-label="Key">
          <Credential account={account} />
        </td>
        <td data-label="Models">{account.models.length === 0 ? 'every model' : account.models.join(', ')}</td>
        <td data-label="Priority">
          {account.priority}
          {account.weight !== 1 && ` · weight ${account.weight}`}
          {account.tier !== 1 && ` · tier ${account.tier}`}
        </td>
        <td data-label="Last used">
          {account.lastUsedAt === null ? 'never' : <Ago at={account.lastUsedAt} />}
        </td>
        <td className={list.actions}>
          <span className={list.buttons}>
            <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>
              Test<span className="sr-only"> {account.name}</span>
            </Button>
            <AccountMenu
              account={account}
              onDetails={onDetails}
              onEdit={onEdit}
              onSignIn={onSignIn}
              onRemove={onRemove}
            />
          </span>
        </td>
      </tr>
      {hasWindows(account) && (
        <tr className={classes.resultRow}>
          <td colSpan={7}>
            <AccountWindows account={account} />
          </td>
        </tr>
      )}
      {(test.data || test.isError) && (
        <tr className={classes.resultRow}>
          <td colSpan={7}>
            {test.data ? <TestResult result={test.data} /> : <FormError error={test.error} />}
          </td>
        </tr>
      )}
    </>
  );
}

function Credential({ account }: { account: AccountView }) {
  if (account.oauth !== null) return 'OAuth';
  return account.credentialHint === null ? 'none' : <code>…{account.credentialHint}</code>;
}

/** What the test found, in words. */
export function TestResult({ result }: { result: AccountTest }) {
  const Icon = result.ok ? IconCircleCheck : IconCircleX;
  const shown = result.models.slice(0, 6);
  return (
    <p className={classes.result} data-ok={result.ok} role="status">
      <Icon size={18} aria-hidden />
      <span>
        {result.message}
        {result.latencyMs !== null && ` It took ${formatDuration(result.latencyMs)}.`}
        {shown.length > 0 &&
          ` Models: ${shown.join(', ')}${result.models.length > shown.length ? `, ${result.models.length - shown.length} more` : ''}.`}
      </span>
    </p>
  );
}

function AccountMenu({ account, onDetails, onEdit, onSignIn, onRemove }: Omit<Props, 'providerName'>) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const pause = useMutation({
    mutationFn: (paused: boolean) =>
      api.send('PATCH', `/api/accounts/${encodeURIComponent(account.id)}`, { paused }),
    onSuccess: async (_, paused) => {
      announce(
        paused
          ? `${account.name} is paused. New requests go to other accounts; running ones finish.`
          : `${account.name} takes requests again.`,
      );
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
    },
    onError: (error) => announce(error.message, 'bad'),
  });
  return (
    <Menu position="bottom-end" width={180} shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className={list.more} aria-label={`Actions for ${account.name}`}>
          <IconDots size={18} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconActivity size={16} aria-hidden />} onClick={onDetails}>
          Details
        </Menu.Item>
        <Menu.Item
          component={Link}
          to="/requests"
          search={{ account: [account.id] } as never}
          leftSection={<IconListSearch size={16} aria-hidden />}
        >
          Its requests
        </Menu.Item>
        <Menu.Item
          leftSection={
            account.paused ? (
              <IconPlayerPlay size={16} aria-hidden />
            ) : (
              <IconPlayerPause size={16} aria-hidden />
            )
          }
          onClick={() => pause.mutate(!account.paused)}
        >
          {account.paused ? 'Resume' : 'Pause'}
        </Menu.Item>
        {account.oauth !== null && (
          <Menu.Item leftSection={<IconLogin2 size={16} aria-hidden />} onClick={onSignIn}>
            Sign in again
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
          Edit
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={onRemove}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

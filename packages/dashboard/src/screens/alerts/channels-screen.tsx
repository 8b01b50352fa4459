import { Button, Modal } from '@mantine/core';
import { IconPencil, IconPlayerPause, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import type { ChannelCreated, ChannelTest, ChannelView } from '@tallygate/contract/api/alerts';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertChannelsQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { RemoveDialog } from '../../app/manage/remove-dialog.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { ListPanel } from '../../ui/list-panel.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { RowMenu } from '../../ui/row-menu.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AlertTabs } from './alert-tabs.tsx';
import { CHANNEL_WORDS } from './alert-words.ts';
import classes from './alerts.module.css';
import { ChannelFormDialog } from './channel-form.tsx';
import { useAlertChange } from './use-alert-change.ts';

type Open = { kind: 'new' } | { kind: 'edit' | 'remove'; channel: ChannelView } | null;

const pathOf = ({ id }: ChannelView): string => `/api/alerts/channels/${encodeURIComponent(id)}`;

function ChannelRow(props: { channel: ChannelView; onEdit: () => void; onRemove: () => void }) {
  const { channel } = props;
  const api = useApi();
  const test = useMutation({ mutationFn: () => api.send<ChannelTest>('POST', `${pathOf(channel)}/test`) });
  const toggle = useAlertChange(
    (enabled: boolean) => api.send<ChannelView>('PATCH', pathOf(channel), { enabled }),
    { done: ({ name, enabled }) => `${name} is ${enabled ? 'on' : 'off'}.` },
  );
  return (
    <tr data-muted={!channel.enabled}>
      <th scope="row" className={list.name}>
        <div>
          {channel.name}
          {!channel.enabled && <span className={list.state}>off</span>}
          <div aria-live="polite">
            {test.data && (
              <p className={classes.sentence}>
                <span className={classes.mark} data-tone={test.data.ok ? 'good' : 'bad'}>
                  {test.data.ok ? 'works' : 'failed'}
                </span>{' '}
                {test.data.message}
              </p>
            )}
          </div>
          <FormError error={test.error ?? toggle.error} />
        </div>
      </th>
      <td data-label="Kind">{CHANNEL_WORDS[channel.kind]}</td>
      <td data-label="Goes to">{channel.destination}</td>
      <td className={list.actions}>
        <div className={list.buttons}>
          <Button
            size="compact-sm"
            variant="default"
            loading={test.isPending}
            onClick={() => test.mutate()}
            aria-label={`Test ${channel.name}`}
          >
            Test
          </Button>
          <RowMenu
            name={channel.name}
            acts={[
              { label: 'Change', icon: IconPencil, onClick: props.onEdit },
              channel.enabled
                ? { label: 'Switch off', icon: IconPlayerPause, onClick: () => toggle.mutate(false) }
                : { label: 'Switch on', icon: IconPlayerPlay, onClick: () => toggle.mutate(true) },
              { label: 'Remove', icon: IconTrash, onClick: props.onRemove, removes: true },
            ]}
          />
        </div>
      </td>
    </tr>
  );
}

function RemoveChannel({ channel, onClose }: { channel: ChannelView; onClose: () => void }) {
  return (
    <RemoveDialog
      what="channel"
      name={channel.name}
      path={pathOf(channel)}
      keys={['alerts']}
      done="Channel removed."
      onClose={onClose}
    >
      <p>Rules that name it tell it nothing any more, and what is on its way is not sent.</p>
    </RemoveDialog>
  );
}

function SecretOnce({ made, onStored }: { made: ChannelCreated; onStored: () => void }) {
  return (
    <Modal opened onClose={onStored} title="Signing key" size={560} closeOnClickOutside={false}>
      <div className={form.form}>
        <p>
          What is sent to {made.name} is signed with this key, as Standard Webhooks has it. This is the only
          time it is shown; put it where the receiver verifies the signature.
        </p>
        <CodeBlock code={made.signingSecret ?? ''} label="the signing key" />
        <div className={form.row}>
          <Button onClick={onStored}>I stored it</Button>
        </div>
      </div>
    </Modal>
  );
}

function ChannelTable(props: {
  channels: ChannelView[];
  onEdit: (channel: ChannelView) => void;
  onRemove: (channel: ChannelView) => void;
}) {
  return (
    <ListTable columns={['Name', 'Kind', 'Goes to']} acts>
      {props.channels.map((channel) => (
        <ChannelRow
          key={channel.id}
          channel={channel}
          onEdit={() => props.onEdit(channel)}
          onRemove={() => props.onRemove(channel)}
        />
      ))}
    </ListTable>
  );
}

/** Where alerts go. */
export function ChannelsScreen() {
  useTitle('Alert channels');
  const query = useQuery(alertChannelsQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const [made, setMade] = useState<ChannelCreated | null>(null);
  const channels = query.data?.channels ?? [];
  const close = (): void => setOpen(null);
  const add = (
    <Button
      size="sm"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setOpen({ kind: 'new' })}
    >
      Add channel
    </Button>
  );
  return (
    <>
      <PageHeader title="Alerts">{add}</PageHeader>
      <AlertTabs />
      <ListPanel
        query={query}
        what="channels"
        lines={4}
        isEmpty={channels.length === 0}
        empty={
          <EmptyState
            title="No channels yet"
            text="A channel is where alerts go: a webhook, Slack, Discord, Teams, e-mail or PagerDuty. Rules choose among them."
            action={add}
          />
        }
      >
        <ChannelTable
          channels={channels}
          onEdit={(channel) => setOpen({ kind: 'edit', channel })}
          onRemove={(channel) => setOpen({ kind: 'remove', channel })}
        />
      </ListPanel>
      {open?.kind === 'new' && <ChannelFormDialog channel={null} onClose={close} onMade={setMade} />}
      {open?.kind === 'edit' && <ChannelFormDialog channel={open.channel} onClose={close} onMade={setMade} />}
      {open?.kind === 'remove' && <RemoveChannel channel={open.channel} onClose={close} />}
      {made !== null && <SecretOnce made={made} onStored={() => setMade(null)} />}
    </>
  );
}

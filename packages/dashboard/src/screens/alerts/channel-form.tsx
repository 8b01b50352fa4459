import { Button, Checkbox, Modal, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { type ChannelCreated, type ChannelView, channelCreateRequest } from '@tallygate/contract/api/alerts';
import { describeIssue } from '@tallygate/contract/api/describe-issue';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { CHANNEL_WORDS, optionsOf } from './alert-words.ts';
import classes from './alerts.module.css';
import {
  type ChannelValues,
  fieldOf,
  fromChannel,
  hasNewTarget,
  NEW_CHANNEL,
  targetOf,
  templateOf,
} from './channel-values.ts';
import { useAlertChange } from './use-alert-change.ts';

type ChannelForm = UseFormReturnType<ChannelValues>;

const SECURITY = {
  starttls: 'STARTTLS, required',
  tls: 'TLS from the first byte',
  none: 'None: only in one’s own network',
};
const URL_HINTS: Record<'webhook' | 'slack' | 'discord' | 'teams', string> = {
  webhook: 'https://example.com/hooks/tallygate',
  slack: 'https://hooks.slack.com/services/…',
  discord: 'https://discord.com/api/webhooks/…',
  teams: 'https://….logic.azure.com/workflows/…',
};

function MailFields({ fields }: { fields: ChannelForm }) {
  return (
    <>
      <div className={form.pair}>
        <TextInput label="SMTP server" placeholder="smtp.example.com" {...fields.getInputProps('host')} />
        <TextInput label="Port" inputMode="numeric" {...fields.getInputProps('port')} />
      </div>
      <Select
        label="Encryption"
        data={optionsOf(SECURITY)}
        allowDeselect={false}
        {...fields.getInputProps('security')}
      />
      <div className={form.pair}>
        <TextInput label="User name" autoComplete="off" {...fields.getInputProps('username')} />
        <PasswordInput label="Password" autoComplete="new-password" {...fields.getInputProps('password')} />
      </div>
      <div className={form.pair}>
        <TextInput label="From" placeholder="gate@example.com" {...fields.getInputProps('from')} />
        <TextInput
          label="To"
          description="With commas between"
          placeholder="ops@example.com"
          {...fields.getInputProps('to')}
        />
      </div>
    </>
  );
}

function TargetFields({ fields, kept }: { fields: ChannelForm; kept: string | null }) {
  const { kind } = fields.values;
  const description = kept === null ? undefined : `Now ${kept}. Leave it empty to keep it.`;
  if (kind === 'email')
    return (
      <>
        {description !== undefined && <p className={classes.note}>{description}</p>}
        <MailFields fields={fields} />
      </>
    );
  if (kind === 'pagerduty')
    return (
      <PasswordInput
        label="Integration key"
        description={description ?? 'Of the service that incidents go to (Events API v2)'}
        autoComplete="off"
        {...fields.getInputProps('routingKey')}
      />
    );
  return (
    <TextInput
      label="URL"
      description={description ?? 'It is sealed and never shown again'}
      placeholder={URL_HINTS[kind]}
      autoComplete="off"
      {...fields.getInputProps('url')}
    />
  );
}

function Preview({ fields }: { fields: ChannelForm }) {
  const api = useApi();
  const preview = useMutation({
    mutationFn: ({ kind, ...values }: ChannelValues) =>
      api.send<{ body: string }>('POST', '/api/alerts/preview', {
        kind,
        template: templateOf({ kind, ...values }),
      }),
  });
  return (
    <div>
      <Button
        size="compact-sm"
        variant="default"
        loading={preview.isPending}
        onClick={() => preview.mutate(fields.values)}
      >
        Show what is sent
      </Button>
      <FormError error={preview.error} />
      {preview.data && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        <section className={classes.preview} tabIndex={0} aria-label="What is sent">
          <pre>{preview.data.body}</pre>
        </section>
      )}
    </div>
  );
}

function TemplateFields({ fields }: { fields: ChannelForm }) {
  return (
    <details>
      <summary>Own words</summary>
      <div className={form.form}>
        <p className={classes.note}>
          Names in double braces stand for parts of the notice:{' '}
          <code>
            {
              '{{title}} {{text}} {{state}} {{severity}} {{rule}} {{subject}} {{environment}} {{time}} {{since}} {{facts}} {{event}}'
            }
          </code>
        </p>
        <TextInput label="Title" placeholder="{{title}}" {...fields.getInputProps('titleTemplate')} />
        <Textarea label="Text" placeholder="{{text}}" rows={3} {...fields.getInputProps('textTemplate')} />
        <Preview fields={fields} />
      </div>
    </details>
  );
}

function bodyOf(values: ChannelValues, channel: ChannelView | null) {
  const { name, allowPrivate } = values;
  const withTarget = channel === null || hasNewTarget(values);
  return {
    name,
    template: templateOf(values),
    ...(channel === null || withTarget ? { allowPrivate } : {}),
    ...(withTarget ? { target: targetOf(values) } : {}),
  };
}

function problemsOf(values: ChannelValues, channel: ChannelView | null): Record<string, string> {
  const schema = channel === null ? channelCreateRequest : channelCreateRequest.partial();
  const result = schema.safeParse(bodyOf(values, channel));
  if (result.success) return {};
  return Object.fromEntries(
    result.error.issues.map((issue) => [fieldOf(issue.path.map(String).join('.')), describeIssue(issue)]),
  );
}

/** Where alerts go, new or changed. What is secret is typed anew or stays as it is. */
export function ChannelFormDialog(props: {
  channel: ChannelView | null;
  onClose: () => void;
  onMade: (made: ChannelCreated) => void;
}) {
  const { channel, onClose, onMade } = props;
  const api = useApi();
  const fields = useForm<ChannelValues>({
    initialValues: channel === null ? NEW_CHANNEL : fromChannel(channel),
    validate: (values) => problemsOf(values, channel),
  });
  const save = useAlertChange(
    async (values: ChannelValues) => {
      const body = bodyOf(values, channel);
      if (channel === null) return api.send<ChannelCreated>('POST', '/api/alerts/channels', body);
      const path = `/api/alerts/channels/${encodeURIComponent(channel.id)}`;
      return { ...(await api.send<ChannelView>('PATCH', path, body)), signingSecret: null };
    },
    {
      done: channel === null ? 'Channel added. Test it to see whether it works.' : 'Channel changed.',
      onDone: (made) => {
        onClose();
        if (made.signingSecret !== null) onMade(made);
      },
      onError: (error) =>
        fields.setErrors(
          Object.fromEntries(Object.entries(fieldErrors(error)).map(([path, text]) => [fieldOf(path), text])),
        ),
    },
  );
  return (
    <Modal opened onClose={onClose} title={channel === null ? 'Add channel' : 'Change channel'} size={580}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        <div className={form.pair}>
          <Select
            label="Kind"
            data={optionsOf(CHANNEL_WORDS)}
            allowDeselect={false}
            disabled={channel !== null}
            {...fields.getInputProps('kind')}
          />
          <TextInput label="Name" placeholder="ops" required {...fields.getInputProps('name')} />
        </div>
        <TargetFields fields={fields} kept={channel?.destination ?? null} />
        {(channel === null || hasNewTarget(fields.values)) && (
          <Checkbox
            label="It is in our own network"
            description="Permits private addresses and plain http, as far as the server’s settings do"
            size="sm"
            {...fields.getInputProps('allowPrivate', { type: 'checkbox' })}
          />
        )}
        <TemplateFields fields={fields} />
        <FormError error={save.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {channel === null ? 'Add channel' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

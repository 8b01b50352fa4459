import { Anchor, Button, Checkbox, Modal, PasswordInput, Textarea, TextInput } from '@mantine/core';
import type { AccountView } from '@tallygate/contract/api/accounts';
import type { OauthSessionCreate, OauthSessionView, OauthSettingsView } from '@tallygate/contract/api/oauth';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { oauthSettingsQuery } from '../../app/api/queries.ts';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { callbackOf, useSignedInElsewhere } from './sign-in-channel.ts';

/** What signs in: a new account, or one that needs new tokens. */
export type SignInSubject = Pick<OauthSessionCreate, 'account' | 'accountId'>;

interface Props {
  title: string;
  subject: SignInSubject;
  onDone: (account: AccountView) => void;
  onClose: () => void;
}

/** Signing an upstream account in: the notice, the provider's page, and the code that it gives (CF-03). */
export function SignInDialog({ title, subject, onDone, onClose }: Props) {
  const settings = useQuery(oauthSettingsQuery(useApi()));
  const [session, setSession] = useState<OauthSessionView | null>(null);
  return (
    <Modal opened onClose={onClose} title={title} size={560}>
      {settings.isPending && <SkeletonLines lines={4} />}
      {settings.isError && <ErrorState error={settings.error} onRetry={() => void settings.refetch()} />}
      {settings.data && !settings.data.enabled && <SwitchedOff notice={settings.data.notice} />}
      {settings.data?.enabled && session === null && (
        <Begin settings={settings.data} subject={subject} onBegun={setSession} />
      )}
      {session !== null && <Complete session={session} onDone={onDone} onAgain={() => setSession(null)} />}
    </Modal>
  );
}

function SwitchedOff({ notice }: { notice: string }) {
  return (
    <div className={form.form}>
      <p>{notice}</p>
      <p>
        It is off here. Whoever runs the server turns it on with <code>TALLYGATE_OAUTH_ACCOUNTS=true</code>.
      </p>
    </div>
  );
}

const FIELDS = [
  ['clientId', 'Client id', 'The one you registered with the provider.'],
  ['authorizeUrl', 'Authorize address', 'The page of the provider where you agree.'],
  ['tokenUrl', 'Token address', 'Where the gate gets tokens.'],
  ['scopes', 'Scopes', 'What the gate asks to be allowed, with spaces between.'],
  [
    'redirectUri',
    'Redirect address',
    'As registered with the provider. With the address of this gate you come back by yourself; with any other you paste where you end up.',
  ],
] as const;
type FieldName = (typeof FIELDS)[number][0];

const isFilled = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/** What was typed, as the API takes it; what was left empty is taken from the settings. */
function clientOf({ scopes, ...given }: Partial<Record<FieldName | 'clientSecret', string>>) {
  const typed = Object.fromEntries(Object.entries(given).filter(([, value]) => isFilled(value)));
  return isFilled(scopes) ? { ...typed, scopes: scopes.trim().split(/\s+/) } : typed;
}

function Begin(props: {
  settings: OauthSettingsView;
  subject: SignInSubject;
  onBegun: (session: OauthSessionView) => void;
}) {
  const { settings, subject, onBegun } = props;
  const api = useApi();
  const [read, setRead] = useState(false);
  const [given, setGiven] = useState<Partial<Record<FieldName, string>>>({});
  const [clientSecret, setClientSecret] = useState('');
  const here = subject.accountId === undefined ? callbackOf(window.location) : null;
  const begin = useMutation({
    mutationFn: () => {
      const own = settings.defaults.redirectUri === null && here !== null ? { redirectUri: here } : {};
      const client = { ...own, ...clientOf({ ...given, clientSecret }) };
      return api.send<OauthSessionView>('POST', '/api/oauth/sessions', {
        ...subject,
        client,
        termsRead: read,
      });
    },
    onSuccess: onBegun,
  });
  const placeholder = (name: FieldName): string => {
    const preset = settings.defaults[name];
    const text = Array.isArray(preset) ? preset.join(' ') : (preset ?? '');
    if (text !== '') return text;
    if (subject.accountId !== undefined) return 'as before';
    return name === 'redirectUri' ? (here ?? '') : '';
  };
  return (
    <form
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        begin.mutate();
      }}
      noValidate
    >
      <p>
        <strong>Read the provider’s terms first.</strong> {settings.notice}
      </p>
      <Checkbox
        label="I have read them, and they permit this"
        checked={read}
        onChange={(event) => setRead(event.currentTarget.checked)}
      />
      {FIELDS.map(([name, label, description]) => (
        <TextInput
          key={name}
          label={label}
          description={description}
          placeholder={placeholder(name)}
          spellCheck={false}
          autoComplete="off"
          value={given[name] ?? ''}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setGiven((before) => ({ ...before, [name]: value }));
          }}
        />
      ))}
      <ClientSecret again={subject.accountId !== undefined} value={clientSecret} onChange={setClientSecret} />
      {begin.isError && <FormError error={begin.error} />}
      <div className={form.row}>
        <Button type="submit" disabled={!read} loading={begin.isPending}>
          Continue
        </Button>
      </div>
    </form>
  );
}

function ClientSecret(props: { again: boolean; value: string; onChange: (value: string) => void }) {
  const { again, value, onChange } = props;
  return (
    <PasswordInput
      label="Client secret, if the provider gave you one"
      description={
        again
          ? 'Empty: the one given before is used again, unless the client id or the token address changes. Stored encrypted, never shown.'
          : 'Stored encrypted, sent to the token address only, never shown again. Leave it empty for a public client.'
      }
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Complete(props: {
  session: OauthSessionView;
  onDone: (account: AccountView) => void;
  onAgain: () => void;
}) {
  const { session, onDone, onAgain } = props;
  const api = useApi();
  const queryClient = useQueryClient();
  const [code, setCode] = useState('');
  const comesBack = session.redirectUri === callbackOf(window.location);
  const done = useCallback(
    async (account: AccountView) => {
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
      onDone(account);
    },
    [queryClient, onDone],
  );
  useSignedInElsewhere(session.sessionId, done);
  const complete = useMutation({
    mutationFn: () =>
      api.send<AccountView>('POST', '/api/oauth/complete', {
        sessionId: session.sessionId,
        code: code.trim(),
      }),
    onSuccess: done,
  });
  return (
    <form
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        complete.mutate();
      }}
      noValidate
    >
      <p>
        <Anchor href={session.authorizeUrl} target="_blank" rel="noopener noreferrer">
          Open the provider’s page
        </Anchor>{' '}
        and agree there.{' '}
        {comesBack
          ? 'It brings you back to this gate in its own tab, and this window goes on by itself. If it shows a code instead, paste it here.'
          : 'Then paste the code it shows, or the whole address you end up at.'}{' '}
        You have ten minutes.
      </p>
      <Textarea
        label="Code or address"
        rows={3}
        spellCheck={false}
        autoComplete="off"
        data-autofocus
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      {complete.isError && <FormError error={complete.error} />}
      <div className={form.row}>
        <Button variant="default" onClick={onAgain}>
          Begin again
        </Button>
        <Button type="submit" disabled={code.trim() === ''} loading={complete.isPending}>
          Sign in
        </Button>
      </div>
    </form>
  );
}

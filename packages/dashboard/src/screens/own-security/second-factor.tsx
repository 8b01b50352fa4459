import { Button, TextInput } from '@mantine/core';
import type { SecondFactorStatus } from '@tallygate/contract/api/auth';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { ownSecondFactorQuery } from '../../app/api/queries.ts';
import { PasswordDialog } from '../../app/manage/password-dialog.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { plural } from '../../ui/format/count.ts';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { CodesOnce } from './codes-once.tsx';
import classes from './own-security.module.css';
import { QrCode } from './qr-code.tsx';

type Asked = 'offer' | 'recovery-codes' | 'remove';
interface Offer {
  secret: string;
  uri: string;
}

const ASKED: Record<Asked, { title: string; text: string; action: string; danger?: boolean }> = {
  offer: {
    title: 'Set up a second factor',
    text: 'You need an authenticator app on your phone. Your other sessions end when it is set up.',
    action: 'Continue',
  },
  'recovery-codes': {
    title: 'New recovery codes',
    text: 'The old recovery codes are worth nothing from now on.',
    action: 'Make new codes',
  },
  remove: {
    title: 'Remove the app',
    text: 'The codes of your app are worth nothing from now on. Without a passkey your password alone opens your account then, and the recovery codes go too.',
    action: 'Remove',
    danger: true,
  },
};

/** The second factor: set up, recovery codes, removal. */
export function SecondFactor() {
  const status = useQuery(ownSecondFactorQuery(useApi()));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [offer, setOffer] = useState<Offer | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Section title="Second factor">
      {status.isPending && (
        <SectionState>
          <SkeletonLines lines={2} />
        </SectionState>
      )}
      {status.isError && <ErrorState error={status.error} onRetry={() => void status.refetch()} />}
      {status.data && offer === null && <Status status={status.data} onAsk={setAsked} />}
      {offer !== null && (
        <Confirm
          offer={offer}
          onCancel={() => setOffer(null)}
          onDone={(fresh) => {
            setOffer(null);
            setCodes(fresh);
          }}
        />
      )}
      {asked !== null && (
        <Ask asked={asked} onClose={() => setAsked(null)} onOffer={setOffer} onCodes={setCodes} />
      )}
      {codes !== null && <CodesOnce codes={codes} onStored={() => setCodes(null)} />}
    </Section>
  );
}

function Status({ status, onAsk }: { status: SecondFactorStatus; onAsk: (asked: Asked) => void }) {
  const any = status.enrolled || status.passkeys > 0;
  const removable = status.enrolled && (!status.required || status.passkeys > 0);
  return (
    <SectionBody>
      <p>{any ? onText(status) : OFF_TEXT}</p>
      <div className={classes.row}>
        {!status.enrolled && (
          <Button variant={any ? 'default' : 'filled'} onClick={() => onAsk('offer')}>
            {any ? 'Set up an app too' : 'Set up'}
          </Button>
        )}
        {any && (
          <Button variant="default" onClick={() => onAsk('recovery-codes')}>
            New recovery codes
          </Button>
        )}
        {removable && (
          <Button variant="default" onClick={() => onAsk('remove')}>
            Remove
          </Button>
        )}
      </div>
    </SectionBody>
  );
}

const OFF_TEXT =
  'Off. With one, a stolen password alone opens nothing: signing in also takes a code of your phone, or a passkey.';

function onText({ enrolled, passkeys, recoveryCodesLeft, required }: SecondFactorStatus): string {
  const kinds = [enrolled ? 'an authenticator app' : '', passkeys > 0 ? plural(passkeys, 'passkey') : ''];
  const rule = required ? ' Your role needs a second factor.' : '';
  const held = kinds.filter((kind) => kind !== '').join(' and ');
  return `On, with ${held}. ${plural(recoveryCodesLeft, 'recovery code')} left.${rule}`;
}

interface AskProps {
  asked: Asked;
  onClose: () => void;
  onOffer: (offer: Offer) => void;
  onCodes: (codes: string[]) => void;
}

function Ask({ asked, onClose, onOffer, onCodes }: AskProps) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const send = useMutation({
    mutationFn: (password: string | undefined) =>
      api.send<Partial<Offer> & { recoveryCodes?: string[] }>('POST', `/api/auth/second-factor/${asked}`, {
        password,
      }),
    onSuccess: async ({ secret, uri, recoveryCodes }) => {
      onClose();
      if (secret !== undefined && uri !== undefined) onOffer({ secret, uri });
      if (recoveryCodes !== undefined) onCodes(recoveryCodes);
      if (asked === 'remove') announce('App removed.');
      await queryClient.invalidateQueries({ queryKey: ['own'] });
    },
  });
  return (
    <PasswordDialog
      {...ASKED[asked]}
      pending={send.isPending}
      error={send.error}
      onConfirm={(password) => send.mutate(password)}
      onClose={onClose}
    />
  );
}

function Confirm(props: { offer: Offer; onCancel: () => void; onDone: (codes: string[]) => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () =>
      api.send<{ recoveryCodes: string[] }>('POST', '/api/auth/second-factor/confirm', { code }),
    onSuccess: async ({ recoveryCodes }) => {
      props.onDone(recoveryCodes);
      await queryClient.invalidateQueries({ queryKey: ['own'] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <SectionBody>
      <p>
        Scan this with your authenticator app, or type the secret into it. Then type the six digits it shows.
      </p>
      <div className={classes.setup}>
        <QrCode text={props.offer.uri} label="QR code of the secret" />
        <form className={classes.typed} onSubmit={submit}>
          <CodeBlock code={props.offer.secret} label="the secret" />
          <TextInput
            label="Code of the app"
            autoComplete="one-time-code"
            inputMode="numeric"
            required
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <FormError error={confirm.error} />
          <div className={classes.row}>
            <Button type="submit" loading={confirm.isPending} disabled={code.trim().length < 6}>
              Confirm
            </Button>
            <Button variant="default" onClick={props.onCancel}>
              Cancel
            </Button>
          </div>
        </form>
      </div>
    </SectionBody>
  );
}

import { Button, Modal, TextInput } from '@mantine/core';
import type { SecondFactorStatus } from '@tallygate/contract/api/auth';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { ownSecondFactorQuery } from '../../app/api/queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { plural } from '../../ui/format/count.ts';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './own-security.module.css';
import { PasswordDialog } from './password-dialog.tsx';
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
    title: 'Remove the second factor',
    text: 'Your password alone opens your account then. App and recovery codes are worth nothing from now on.',
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
  if (!status.enrolled) {
    return (
      <SectionBody>
        <p>
          Off. With one, a stolen password alone opens nothing: signing in also takes a code of your phone.
        </p>
        <div className={classes.row}>
          <Button onClick={() => onAsk('offer')}>Set up</Button>
        </div>
      </SectionBody>
    );
  }
  return (
    <SectionBody>
      <p>
        On. {plural(status.recoveryCodesLeft, 'recovery code')} left
        {status.required ? '. Your role needs a second factor.' : '.'}
      </p>
      <div className={classes.row}>
        <Button variant="default" onClick={() => onAsk('recovery-codes')}>
          New recovery codes
        </Button>
        {!status.required && (
          <Button variant="default" onClick={() => onAsk('remove')}>
            Remove
          </Button>
        )}
      </div>
    </SectionBody>
  );
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
    mutationFn: (password: string) =>
      api.send<Partial<Offer> & { recoveryCodes?: string[] }>('POST', `/api/auth/second-factor/${asked}`, {
        password,
      }),
    onSuccess: async ({ secret, uri, recoveryCodes }) => {
      onClose();
      if (secret !== undefined && uri !== undefined) onOffer({ secret, uri });
      if (recoveryCodes !== undefined) onCodes(recoveryCodes);
      if (asked === 'remove') announce('Second factor removed.');
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

function CodesOnce({ codes, onStored }: { codes: string[]; onStored: () => void }) {
  const queryClient = useQueryClient();
  return (
    <Modal
      opened
      onClose={onStored}
      title="Your recovery codes"
      size={440}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <div className={form.form}>
        <p>
          Each stands in for the app once, should you lose your phone. This is the only time they are shown;
          here only hashes of them are kept.
        </p>
        <CodeBlock code={codes.join('\n')} label="the recovery codes" />
        <div className={form.row}>
          <Button
            onClick={() => {
              onStored();
              // Whoever had to set it up may do everything else from now on.
              void queryClient.invalidateQueries({ queryKey: ['me'] });
            }}
          >
            I stored them
          </Button>
        </div>
      </div>
    </Modal>
  );
}
